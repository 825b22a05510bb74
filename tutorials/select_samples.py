"""Selection: which images of some drives to label, how many, and why these; and what to label after them.

Run it with `python select_samples.py` in an empty folder. It makes its own images, so it needs nothing else.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import saccade as sc
import saccade.brain as scb

# Eight drives of thirty frames each; one frame hardly differs from the next. Two drives are at night, one is in fog.
random = np.random.default_rng(5)
Path("drives").mkdir(exist_ok=True)
LIGHT = {"day": (120, 180, 240), "fog": (190, 195, 200), "night": (15, 15, 45)}
WEATHER = ["day", "day", "day", "day", "day", "fog", "night", "night"]


def scene(light: str, road: float, at: float) -> Image.Image:
    """Draw a road under a sky, and on it a car that comes nearer."""
    image = Image.new("RGB", (96, 72), LIGHT[light])
    draw = ImageDraw.Draw(image)
    draw.polygon([(0, 72), (48 * road, 30), (48 * road + 12, 30), (96, 72)], fill=(70, 70, 75))
    size, x, y = 6 + 26 * at, 30 + 30 * road * at, 32 + 22 * at
    draw.rectangle((x, y, x + size, y + size * 0.6), fill=(200, 40, 30) if light != "night" else (70, 20, 20))
    return Image.fromarray(np.clip(np.asarray(image) + random.normal(0, 4, (72, 96, 3)), 0, 255).astype(np.uint8))


samples = []
for drive, light in enumerate(WEATHER):
    road = random.uniform(0.4, 1.6)
    for frame in range(30):
        path = f"drives/{drive}-{frame:02}.png"
        scene(light, road, frame / 29).save(path)
        sure = {"day": 0.97, "fog": 0.75, "night": 0.6}[light] - 0.1 * (1 - frame / 29) * random.uniform()
        samples.append(
            sc.Sample(
                filepath=path, drive=f"drive {drive}", seconds=frame * 0.5, weather=light,
                guess=sc.Classification(label="car", logits=np.log([sure, 1 - sure])),
            )
        )  # fmt: skip
for number in range(3):  # and three pictures of a camera that was broken
    path = f"drives/broken-{number}.png"
    Image.fromarray(random.integers(0, 256, (72, 96, 3)).astype(np.uint8)).save(path)
    samples.append(sc.Sample(filepath=path, drive="garage", seconds=0.0, weather="day",
                             guess=sc.Classification(label="car", logits=np.log([0.5, 0.5]))))  # fmt: skip

dataset = sc.Dataset("drives", overwrite=True)
dataset.default_classes = ["car", "none"]
dataset.add_samples(samples)
scb.compute_embeddings(dataset)
scb.compute_active_learning_scores(dataset, "guess", "uncertainty_margin")


def names(view: sc.DatasetView) -> str:
    """The files of a view, without what they share."""
    return " ".join(Path(path).stem for path in view.values("filepath"))


# As unlike each other as can be: the broken pictures are among the first, as nothing is more unlike the rest.
diverse = scb.select_diverse(dataset, 12, tag="diverse")
print(diverse)
print(names(diverse.view()))

# Several wishes at once. No outliers; frames the model is unsure of; a third of them at night, though a quarter of all
# frames are; at most four of a drive, and never two of one within two seconds.
wishes = [
    scb.Diversity("embedding"),
    scb.Typicality("embedding"),
    scb.Weights("guess_uncertainty_margin", strength=0.5),
    scb.Balance("weather", {"night": 0.33, "fog": 0.17}),
    scb.GroupCap("drive", 4),
    scb.TimeGap("seconds", 2, group="drive"),
]
first = scb.select(dataset, n_samples=12, strategies=wishes, tag="round 1")
print(first)
print(names(first.view()))

# What decided about each of them is on the samples, and stays there.
for sample in dataset.match_tags("round 1").sort_by("selections.round_1.rank").limit(4):
    why = sample["selections"]["round_1"]
    print(why["rank"], Path(sample.filepath).stem, why["reason"])

# How many are needed? The first picks of a selection are one themselves, so one curve answers for all sizes. The mean
# distance of an image to the nearest pick is 1 - coverage times that to a single one in the middle.
needed = diverse.suggest_n(coverage=0.6)
print(f"{needed} of {len(diverse)} picks reach a coverage of 0.6: {names(diverse.prefix(needed).view())}")

# Once these are labelled: eight more, unlike each other and unlike those, by the same wishes.
second = scb.select(dataset, n_samples=8, strategies=wishes, tag="round 2", preselected_tag="round 1")
print(second.compare("round 1"))

# The same config as JSON or YAML, in the form of LightlyOne; and the same picks whenever it is done again.
print(second.config["strategies"][2])
print(second.replay().identical, dataset.list_selections())
second.to_csv("round 2.csv", overwrite=True)
