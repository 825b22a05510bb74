"""Train a model: let it learn from your own images, without labels, what resembles what.

Run it with `python train_a_model.py` in an empty folder. Its images come with scikit-learn, so it needs nothing else
but torch: `pip install 'saccade[torch]'`.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

import saccade as sc
import saccade.brain as scb

# 600 handwritten digits of 8 x 8 pixels, in a folder per digit. In your case: your photos.
digits = load_digits()
pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
for number in range(600):
    folder = Path("digits") / str(digits.target[number])
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[number]).save(folder / f"{number}.png")
dataset = sc.Dataset.from_dir(
    "digits", dataset_type=sc.types.ImageClassificationDirectoryTree, name="digits to learn", overwrite=True
)

# The model learns to give two views of an image one vector. What views may differ in is for you to say: a mirrored
# digit is none, and what is left of one after a small crop is another. The labels teach nothing; they only judge.
# Killed in the middle and called again, it goes on. Called again when it is done, it gives the model it has.
run = scb.train_embedding_model(
    dataset,
    "digits-vicreg",
    method="vicreg",
    image_size=8,
    dimension=16,
    epochs=20,
    augmentations={"horizontal_flip": False, "crop_scale": (0.75, 1), "rotation": 10, "blur": 0},
    label_field="ground_truth",
)
print(run)

# Row 0 of the curve is the network before it learned anything.
curve, best = run.curve(), run.summary()["best_epoch"]
for name, meaning in {
    "agreement": "of an image's nearest neighbours stay the same in another view of all images",
    "accuracy": "of held-out digits are told by their nearest neighbours",
}.items():
    before, after = curve[name][0], curve[name][best]
    print(f"{name}: {after:.0%} {meaning}; before the training it was {before:.0%}")

# From now on the model is used by its name, in this process and in any other, on this dataset and on any other.
print(scb.list_models())
scb.compute_embeddings(dataset, model="digits-vicreg", embeddings_field="learned")
scb.compute_uniqueness(dataset, "unlike_others", embeddings="learned")
for sample in dataset.sort_by("unlike_others", reverse=True).limit(3):
    print(f"{sample['unlike_others']:.3f} {Path(sample.filepath).name}, a {sample['ground_truth'].label}")

# To remove it: scb.delete_model("digits-vicreg").
