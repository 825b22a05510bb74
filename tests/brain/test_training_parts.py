"""Losses, views, networks and validation, by numbers worked out by hand."""

import math

import numpy as np
import pytest
import torch

from saccade.brain.models.backbones import BACKBONES, backbone_name, build_backbone, embed_pixels, normalised
from saccade.brain.training.augmentations import Augmentations, colour_matrices, gaussian_kernels
from saccade.brain.training.checkpoints import Checkpoint
from saccade.brain.training.losses import nt_xent, vicreg
from saccade.brain.training.pixels import read_pixels
from saccade.brain.training.recipes import recipe_for
from saccade.brain.training.validation import neighbor_accuracy, neighbor_agreement, spread
from saccade.dataset import settings
from saccade.dataset.errors import ModelError
from saccade.dataset.media.streaming import Place

NOTHING = {
    "crop_scale": (1, 1), "crop_ratio": (1, 1), "horizontal_flip": 0, "jitter": 0, "grey": 0, "blur": 0,
}  # fmt: skip
"""Augmentations that change nothing."""


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(n=6, size=12, seed=0):
    return torch.rand((n, 3, size, size), generator=seeded(seed))


# --- losses ---------------------------------------------------------------------------------------------------------


def test_nt_xent_is_the_cross_entropy_worked_out_by_hand():
    one, other = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    # Cosines, without self: rows 0 and 2 see their partner at 1, row 1 at 0 and another image at 1; row 3 sees row 1.
    first = -math.log(math.e / (1 + math.e + math.e))  # row 0: others at 0, 1 (its partner), 1
    second = -math.log(1 / (1 + 1 + 1))  # row 1: all others at 0
    third = -math.log(math.e / (math.e + 1 + math.e))  # row 2, as row 0
    fourth = -math.log(1 / (math.e + 1 + math.e))  # row 3: its partner at 0, two others at 1
    expected = (first + second + third + fourth) / 4
    assert nt_xent(one, other, temperature=1.0).item() == pytest.approx(expected, abs=1e-6)


def test_nt_xent_knows_no_lengths_and_no_order():
    one, other = torch.randn((7, 5), generator=seeded(1)), torch.randn((7, 5), generator=seeded(2))
    loss = nt_xent(one, other).item()
    order = torch.randperm(7, generator=seeded(3))
    assert nt_xent(3 * one, 0.1 * other).item() == pytest.approx(loss, rel=1e-5)
    assert nt_xent(one[order], other[order]).item() == pytest.approx(loss, rel=1e-5)
    assert nt_xent(other, one).item() == pytest.approx(loss, rel=1e-5)


def test_nt_xent_of_equal_vectors_is_that_of_a_guess():
    same = torch.ones((4, 3))
    assert nt_xent(same, same).item() == pytest.approx(math.log(7), rel=1e-6)


def test_vicreg_is_the_sum_of_its_three_parts_worked_out_by_hand():
    one = torch.tensor([[0.0, 0.0], [2.0, 2.0]])  # variance 2 in both, covariance 2
    other = torch.tensor([[0.0, 0.0], [0.0, 0.0]])  # no variance: both lack 1 - 0.01
    similar = 8 / 4
    varied = (0 + 0.99) / 2
    independent = (2**2 + 2**2) / 2 + 0
    assert vicreg(one, other, 1, 0, 0).item() == pytest.approx(similar)
    assert vicreg(one, other, 0, 1, 0).item() == pytest.approx(varied, rel=1e-5)
    assert vicreg(one, other, 0, 0, 1).item() == pytest.approx(independent, rel=1e-5)
    assert vicreg(one, other).item() == pytest.approx(25 * similar + 25 * varied + independent, rel=1e-5)


def test_vicreg_does_not_change_when_all_views_are_moved_alike():
    one, other = torch.randn((9, 4), generator=seeded(1)), torch.randn((9, 4), generator=seeded(2))
    moved = torch.tensor([5.0, -3.0, 0.5, 1.0])
    assert vicreg(one + moved, other + moved).item() == pytest.approx(vicreg(one, other).item(), rel=1e-4)


# --- views ----------------------------------------------------------------------------------------------------------


def test_the_same_seed_draws_the_same_views_and_another_one_others():
    chosen = Augmentations(rotation=20, vertical_flip=0.5, blur=1)
    first, again, other = (chosen.views(images(), 10, seeded(seed)) for seed in (4, 4, 5))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (6, 3, 10, 10)


@pytest.mark.parametrize("size", [8, 33])
def test_views_stay_in_range(size):
    chosen = Augmentations(
        rotation=180, jitter=1, brightness=1, contrast=1, saturation=1, hue=0.5, blur=1, blur_sigma=(5, 20),
        crop_scale=(0.01, 1), crop_ratio=(0.1, 10),
    )  # fmt: skip
    views = chosen.views(torch.cat([images(), torch.zeros((1, 3, 12, 12)), torch.ones((1, 3, 12, 12))]), size, seeded())
    assert torch.isfinite(views).all()
    assert views.min() >= 0
    assert views.max() <= 1


def test_every_image_has_parameters_of_its_own():
    same = images(1).expand(5, -1, -1, -1)
    views = Augmentations().views(same, 12, seeded())
    assert len({view.numpy().tobytes() for view in views}) == 5


def test_without_augmentations_a_view_is_the_image():
    torch.testing.assert_close(Augmentations.of(NOTHING).views(images(), 12, seeded()), images(), atol=1e-5, rtol=0)


def test_flips_mirror_and_turns_turn():
    flipped = Augmentations.of({**NOTHING, "horizontal_flip": 1}).views(images(), 12, seeded())
    torch.testing.assert_close(flipped, images().flip(3), atol=1e-5, rtol=0)
    upside = Augmentations.of({**NOTHING, "vertical_flip": True}).views(images(), 12, seeded())
    torch.testing.assert_close(upside, images().flip(2), atol=1e-5, rtol=0)


def test_a_crop_lies_inside_the_image():
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32).repeat(200, 1, 1, 1)
    views = Augmentations.of({**NOTHING, "crop_scale": (0.25, 0.25)}).views(ramp, 16, seeded())
    widths = views[:, 0, 0, -1] - views[:, 0, 0, 0]
    torch.testing.assert_close(widths, torch.full((200,), 15 / 31), atol=0.02, rtol=0)  # half the side of the image
    assert views[:, 0, 0, 0].min() < 0.05
    assert views[:, 0, 0, -1].max() > 0.95


def test_colours_keep_greys_and_turn_in_a_circle():
    grey = torch.full((1, 3), 0.3)
    matrices = colour_matrices(torch.tensor([0.0, 0.25, 1.0, 0.1]), torch.tensor([1.0, 1.0, 1.0, 0.0]))
    for matrix in matrices:
        torch.testing.assert_close(grey @ matrix.T, grey, atol=1e-5, rtol=0)
    torch.testing.assert_close(matrices[0], torch.eye(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(matrices[2], torch.eye(3), atol=1e-5, rtol=0)
    red = torch.tensor([1.0, 0.0, 0.0])
    torch.testing.assert_close(matrices[3] @ red, torch.full((3,), 0.299), atol=1e-5, rtol=0)


def test_a_blur_keeps_the_light_and_flat_images():
    flat = torch.full((2, 3, 20, 20), 0.4)
    chosen = Augmentations.of({**NOTHING, "blur": 1, "blur_sigma": (10, 10)})
    torch.testing.assert_close(chosen.views(flat, 20, seeded()), flat, atol=1e-5, rtol=0)
    point = torch.zeros((1, 3, 21, 21))
    point[:, :, 10, 10] = 1
    blurred = chosen.views(point, 21, seeded())
    kernel = gaussian_kernels(torch.tensor([2.1]), 7)[0]
    torch.testing.assert_close(blurred[0, 0, 10, 3:18], kernel * kernel[7], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"flip": 0.5}, "no augmentation 'flip'"),
        ({"hue": 0.7}, "hue=0.7: expected turns"),
        ({"blur": float("nan")}, "blur=nan"),
        ({"crop_scale": 0.5}, r"crop_scale=0.5 is not a pair"),
        ({"crop_scale": (0.9, 0.2)}, "from low to high"),
        ({"rotation": "10"}, "rotation='10' is not a number"),
    ],
)
def test_an_augmentation_that_cannot_be_is_refused(given, message):
    with pytest.raises(ModelError, match=message):
        Augmentations.of(given)


# --- networks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("size", [8, 13, 64])
def test_every_network_takes_every_size_and_is_the_same_for_a_seed(name, size):
    before = torch.random.get_rng_state()
    network = build_backbone(name, size, 10, seed=3).eval()
    assert torch.equal(torch.random.get_rng_state(), before)
    again, other = build_backbone(name, size, 10, seed=3).eval(), build_backbone(name, size, 10, seed=4).eval()
    batch = normalised(images(2, size))
    with torch.inference_mode():
        vectors = network(batch)
        assert vectors.shape == (2, 10)
        assert torch.equal(vectors, again(batch))
        assert not torch.equal(vectors, other(batch))


def test_vectors_have_length_one_whatever_the_batch():
    network = build_backbone("cnn", 16, 8).eval()
    pixels = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3)).astype(np.uint8)
    together = embed_pixels(network, pixels, "cpu")
    torch.testing.assert_close(together.norm(dim=1), torch.ones(5))
    alone = torch.cat([embed_pixels(network, pixels[i : i + 1], "cpu") for i in range(5)])
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)


def test_an_unknown_backbone_or_size_is_named():
    assert backbone_name("vit") == "vit-small"
    with pytest.raises(ModelError, match=r"no backbone 'resnet50'\. Backbones: cnn, cnn-medium"):
        backbone_name("resnet50")
    with pytest.raises(ModelError, match="image_size=4"):
        build_backbone("cnn", 4, 8)


# --- validation -----------------------------------------------------------------------------------------------------


def test_agreement_is_one_for_equal_views_and_zero_for_vectors_that_are_all_the_same():
    vectors = np.random.default_rng(0).standard_normal((30, 4))
    assert neighbor_agreement(vectors, vectors) == 1
    assert neighbor_agreement(np.ones((30, 4)), vectors) == 0
    assert neighbor_agreement(np.ones((30, 4)), np.ones((30, 4))) == 0


def test_agreement_of_unrelated_views_is_that_of_chance():
    rng = np.random.default_rng(0)
    found = neighbor_agreement(rng.standard_normal((800, 6)), rng.standard_normal((800, 6)))
    assert found == pytest.approx(5 / 799, abs=0.005)


def test_accuracy_asks_the_nearest_and_breaks_ties_by_nearness():
    vectors, labels = [[0.0], [1.0], [9.0], [10.0]], ["a", "b", "c", "c"]
    assert neighbor_accuracy([[0.4]], ["a"], vectors, labels, neighbors=2) == 1  # one vote each: a is nearer
    assert neighbor_accuracy([[0.4], [8.0]], ["b", "c"], vectors, labels, neighbors=2) == 0.5


def test_spread_is_zero_for_equal_vectors():
    assert spread(np.array([[1.0, 0.0]] * 3, dtype=np.float32)) == 0
    assert spread(np.array([[1.0, 0.0], [-1.0, 0.0]], dtype=np.float32)) == 1


# --- recipes, files, checkpoints ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "byol"}, "method='byol' is unknown. Use 'simclr' or 'vicreg'"),
        ({"epochs": 0}, "epochs=0: expected a whole number"),
        ({"epochs": 2.5}, "epochs=2.5"),
        ({"batch_size": 3}, "batch_size=3: expected a whole number, 4 or more"),
        ({"dimension": True}, "dimension=True"),
        ({"image_size": 4}, "image_size=4"),
        ({"image_size": 1000}, "at most 512"),
        ({"learning_rate": 0.0}, "learning_rate=0.0: expected a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(given, message):
    with pytest.raises(ModelError, match=message):
        recipe_for(100, **given)


def test_images_beyond_the_memory_lie_in_a_file_that_goes_away(image_files, home, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    paths = [image_files[0], str(broken), *image_files[1:]]
    with read_pixels(list(map(Place, paths)), 16) as held:
        inside = held.images.copy()
    with read_pixels(list(map(Place, paths)), 16, in_memory=100) as mapped:
        assert isinstance(mapped.images, np.memmap)
        assert np.array_equal(mapped.images, inside)
        assert mapped.positions == [0, *range(2, 11)]
        assert mapped.failures == {1: "the file is text, not an image"}
        assert mapped.digest() == held.digest()
        assert list((settings.current().cache_dir / "training").iterdir())
    assert not list((settings.current().cache_dir / "training").iterdir())


def test_images_beyond_the_cache_are_refused_before_they_are_read(home):
    with (
        settings.using(cache_gb=0.001),
        pytest.raises(ModelError, match=r"0.0123 GB in .* cache_gb allows 0.001. Train on a view"),
        read_pixels([Place("/nowhere.png")] * 1000, 64, in_memory=0),
    ):
        pass


def test_a_checkpoint_of_another_training_or_a_damaged_one_is_not_taken(home, caplog):
    checkpoint = Checkpoint("dataset model", "one")
    assert checkpoint.load() is None
    checkpoint.save({"step": 3, "weights": {"a": torch.ones(2)}})
    assert checkpoint.load()["step"] == 3
    assert Checkpoint("dataset model", "two").load() is None
    checkpoint.file.write_bytes(checkpoint.file.read_bytes()[:100])
    assert checkpoint.load() is None
    assert "cannot be read, so the training begins anew" in caplog.text
    checkpoint.remove()
    assert not checkpoint.file.exists()
