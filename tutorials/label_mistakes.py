"""Label mistakes: find the wrong labels of a dataset, and see what they should be.

Run it with `python label_mistakes.py`. It needs no files: scikit-learn's handwritten digits stand in for images.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_predict

import saccade as sc
import saccade.brain as scb
from saccade import F

# Digits, of which every twentieth gets a wrong label on purpose. The truth is kept, to see how well it goes.
digits = load_digits()
pixels = digits.data / 16
random = np.random.default_rng(51)
given = digits.target.copy()
wrong = random.choice(len(given), 90, replace=False)
given[wrong] = (given[wrong] + random.integers(1, 10, 90)) % 10

# Predictions of a model that has not seen the sample it judges: cross-validation, on the labels as they are.
model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
probabilities = cross_val_predict(model, pixels, given, cv=5, method="predict_proba")

# A dataset. Probabilities are stored as their logarithms, and `default_classes` says which number is which class.
dataset = sc.Dataset("label mistakes", overwrite=True)
dataset.default_classes = [str(digit) for digit in range(10)]
dataset.add_samples(
    sc.Sample(
        filepath=f"/digits/{i}.png",
        truth=str(digits.target[i]),
        ground_truth=sc.Classification(label=str(given[i])),
        predictions=sc.Classification(label=str(p.argmax()), confidence=p.max(), logits=np.log(np.maximum(p, 1e-12))),
        embedding=pixels[i],
    )
    for i, p in enumerate(probabilities)
)

# The score. It reads the field "embedding" by itself; above 0.5, another class is more probable than the label.
run = scb.compute_mistakenness(dataset, pred_field="predictions", label_field="ground_truth")
print(run)
print("how the scores are spread:", run.histogram(5))

# The 90 most doubtful labels, and how many of them are wrong indeed.
suspects = run.view().limit(90)
labels, truth, suggested = suspects.values(["ground_truth.label", "truth", "mistakenness_suggestion"])
found = sum(label != true for label, true in zip(labels, truth, strict=True))
print(f"{found} of the 90 most doubtful labels are wrong")
print(f"{sum(s == t for s, t in zip(suggested, truth, strict=True))} of their suggestions are the truth")

# What a person would do now: look at them, and take over the suggestions that are right.
doubted = dataset.match(F("mistakenness") > 0.9)
doubted.tag_samples("look at")
doubted.set_values("ground_truth.label", doubted.values("mistakenness_suggestion"))
print(f"{doubted.count()} labels replaced")
