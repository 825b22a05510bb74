"""Hardness: which samples will a model get wrong?

Run it with `python hardness.py`. It needs no files: scikit-learn's handwritten digits stand in for images.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_predict

import saccade as sc
import saccade.brain as scb

# Digits with noise on them, some little and some much.
digits = load_digits()
random = np.random.default_rng(51)
noise = random.uniform(0, 0.4, len(digits.data))
pixels = digits.data / 16 + noise[:, None] * random.standard_normal(digits.data.shape)

# Predictions of a model that has not seen the sample it judges.
model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
probabilities = cross_val_predict(model, pixels, digits.target, cv=5, method="predict_proba")

dataset = sc.Dataset("hardness", overwrite=True)
dataset.default_classes = [str(digit) for digit in range(10)]
dataset.add_samples(
    sc.Sample(
        filepath=f"/digits/{i}.png",
        noise=noise[i],
        ground_truth=sc.Classification(label=str(digits.target[i])),
        predictions=sc.Classification(label=str(p.argmax()), logits=np.log(np.maximum(p, 1e-12))),
        embedding=pixels[i],
    )
    for i, p in enumerate(probabilities)
)

# Without labels: for samples that nobody has looked at yet. The hardest are worth a label.
run = scb.compute_hardness(dataset, "predictions")
print(run)
hard, easy = run.view().limit(200), dataset.sort_by("hardness").limit(200)
print(f"mean noise of the hardest 200: {hard.mean('noise'):.2f}, of the easiest: {easy.mean('noise'):.2f}")

# With labels: what the training set is hard to learn from.
scb.compute_hardness(dataset, "predictions", "hardness_given_labels", ground_truth_field="ground_truth")


def share_wrong(view: sc.DatasetView) -> float:
    """How many predictions are not the label."""
    told, true = view.values(["predictions.label", "ground_truth.label"])
    return float(np.mean([one != other for one, other in zip(told, true, strict=True)]))


for field in ("hardness", "hardness_given_labels"):
    hardest = dataset.sort_by(field, reverse=True).limit(200)
    print(f"wrong among the 200 with the highest {field}: {share_wrong(hardest):.0%}")
