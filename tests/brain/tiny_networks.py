"""Real networks of transformers with random weights, made on the spot: a few kilobytes each."""

import torch
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    Dinov2Config,
    Dinov2Model,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipModel,
)

WORDS = ["<pad>", "<s>", "</s>", "a", "red", "green", "blue", "car", "tree"]
PROCESSOR = {
    "size": {"shortest_edge": 32}, "crop_size": {"height": 28, "width": 28}, "do_center_crop": True, "resample": 3,
}  # fmt: skip


def dinov2(folder, seed=0, **options):
    """DINOv2 of two layers on 28 x 28 pixels in 4 patches; images are resized to 32 and cropped."""
    torch.manual_seed(seed)
    config = Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, image_size=28, patch_size=14, **options
    )  # fmt: skip
    Dinov2Model(config).save_pretrained(folder)
    CLIPImageProcessorPil(**PROCESSOR).save_pretrained(folder)
    return str(folder)


def clip(folder, seed=0):
    """CLIP with towers of one layer and a tokenizer of nine words."""
    torch.manual_seed(seed)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**tower, "vocab_size": 9, "max_position_embeddings": 8, "bos_token_id": 1, "eos_token_id": 2}
    vision = {**tower, "image_size": 28, "patch_size": 14}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(**PROCESSOR).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return str(folder)


def siglip(folder, seed=0):
    """SigLIP with towers of one layer; images are squeezed."""
    torch.manual_seed(seed)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**tower, "vocab_size": 9, "max_position_embeddings": 8}
    config = SiglipConfig(text_config=text, vision_config={**tower, "image_size": 28, "patch_size": 14})
    SiglipModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(
        size={"height": 28, "width": 28}, do_center_crop=False, image_mean=[0.5] * 3, image_std=[0.5] * 3
    ).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return str(folder)


def tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="a"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )  # fmt: skip
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", bos_token="<s>", eos_token="</s>")
