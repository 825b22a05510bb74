"""First steps: from a folder of images to the few worth looking at.

Run it with `python first_steps.py` in an empty folder. It makes its own images, so it needs nothing else.
"""

from pathlib import Path

import numpy as np
from PIL import Image

import saccade as sc
import saccade.brain as scb
from saccade import F

# Images, as they might come from anywhere: three kinds, one of them rare, and one image twice.
random = np.random.default_rng(51)
colours = {"sky": (90, 150, 230), "grass": (60, 160, 70), "sunset": (230, 120, 40)}
numbers = {"sky": 20, "grass": 20, "sunset": 3}
for kind, colour in colours.items():
    folder = Path("images") / kind
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(numbers[kind]):
        pixels = np.clip(np.array(colour) + random.normal(0, 20, (48, 64, 3)), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
Image.open("images/sky/0.png").save("images/sky/double.png")

# A dataset: one sample per image, the folder's name as its label. It persists; `overwrite` replaces an older one.
dataset = sc.Dataset.from_dir(
    "images", dataset_type=sc.types.ImageClassificationDirectoryTree, name="first steps", overwrite=True
)
print(dataset.count_values("ground_truth.label"))

# A sample is an object. What is set on it is stored when it is saved.
sample = dataset.first()
sample["remark"] = "looked at"
sample.tags.append("seen")
sample.save()

# A view is a question. Nothing is read until the answer is asked for.
view = dataset.match(F("ground_truth.label") == "grass").sort_by("filepath").limit(3)
print(view.values("filepath"))

# Embeddings describe each image by numbers; uniqueness says how far each lies from its nearest neighbours.
scb.compute_embeddings(dataset, model="builtin", embeddings_field="embedding")
scb.compute_uniqueness(dataset, embeddings="embedding")
print("lowest and highest uniqueness:", dataset.bounds("uniqueness"))
print("images that have a double:", dataset.match(F("uniqueness") < 1e-6).values("filepath"))

# A selection that covers the dataset: each next image is the one farthest from those chosen before.
diverse = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}
scb.select(dataset, {"n_samples": 6, "strategies": [diverse]}, tag="batch-1")
print("chosen:", dataset.match_tags("batch-1").count_values("ground_truth.label"))

# Every score is on record: what computed it, from what, when.
for key in dataset.list_runs():
    print(dataset.get_run_info(key))

# Tomorrow: sc.load_dataset("first steps"). To remove it: sc.delete_dataset("first steps").
