"""Several detectors as one: which boxes are one object, what agreement is worth, and the edges."""

import numpy as np
import pytest

from saccade.brain.kernels.boxes import boxes_of, pairings
from saccade.brain.kernels.ensembles import ensemble, ensemble_mistakenness, joined, some
from saccade.brain.kernels.object_mistakenness import object_mistakenness
from saccade.brain.kernels.reliability import reliability

LEFT, RIGHT = [0.1, 0.1, 0.3, 0.3], [0.6, 0.6, 0.3, 0.3]
NONE, NOTHING = boxes_of([], [], []), np.empty(0)
IMAGES, CLASSES = 200, 2


def detector(rng, hits, alarms):
    """Boxes that lie on the object of some images, and on nothing, somewhere, in others; all of 0.8."""
    places = np.r_[np.flatnonzero(hits), np.flatnonzero(alarms)]
    somewhere = np.c_[rng.uniform(0.4, 0.7, (alarms.sum(), 2)), np.full((alarms.sum(), 2), 0.3)]
    boxes = np.r_[np.tile(LEFT, (hits.sum(), 1)), somewhere]
    order = np.argsort(places, kind="stable")
    boxes[:, :2] += rng.normal(0, 0.005, (len(boxes), 2))
    return boxes_of(places[order], boxes[order], [0] * len(places)), np.full(len(places), 0.8)


@pytest.fixture
def given():
    return boxes_of(range(IMAGES), [LEFT] * IMAGES, [0] * IMAGES)


def both_of(rng, first, second):
    detectors = [detector(rng, *hits_and_alarms) for hits_and_alarms in (first, second)]
    return joined(*zip(*detectors, strict=True))


def agreement(given, both):
    """How reliable an object of two detectors is, and one of one."""
    one = ensemble(given, both, pairings(given, both.boxes), CLASSES, 0.5)
    boxes, first = some(both.boxes, one.chosen), np.ones(len(one.chosen), dtype=bool)
    measured, _ = reliability(given, boxes, one.confidences, one.pairs.across, first, CLASSES, 0.5)
    seen_by = np.bincount(one.objects)
    return measured[seen_by == 2].mean(), measured[seen_by == 1].mean()


def test_boxes_of_one_class_in_one_place_are_one_object(given):
    first = boxes_of([0, 0], [LEFT, RIGHT], [0, 0])
    second = boxes_of([0, 0, 1], [LEFT, RIGHT, LEFT], [0, 1, 0])
    both = joined([first, second], [np.array([0.9, 0.9]), np.array([0.8, 0.8, 0.8])])
    one = ensemble(given, both, pairings(given, both.boxes), CLASSES, 0.5)
    # in joined order: left and right of the first, left and right (another class) of the second, image 1
    assert one.objects[0] == one.objects[2]
    assert len(set(one.objects.tolist())) == 4
    assert len(one.chosen) == 4
    assert (np.diff(both.boxes.images[one.chosen]) >= 0).all()
    assert one.objects[one.chosen].tolist() == [0, 1, 2, 3]


def test_each_box_of_a_detector_is_of_an_object_of_its_own(given):
    twice = boxes_of([0, 0], [LEFT, LEFT], [0, 0])
    once = boxes_of([0], [LEFT], [0])
    both = joined([once, twice], [np.array([0.9]), np.array([0.8, 0.7])])
    one = ensemble(given, both, pairings(given, both.boxes), CLASSES, 0.5)
    assert len(set(one.objects[both.models == 1].tolist())) == 2


def test_detectors_that_err_independently_gain_by_agreeing(rng, given):
    def chances():
        return rng.random(IMAGES) < 0.7, rng.random(IMAGES) < 0.3

    two, alone = agreement(given, both_of(rng, chances(), chances()))
    assert two > 0.9
    assert alone < 0.7


def test_detectors_that_err_together_count_as_one(rng, given):
    hits, alarms = rng.random(IMAGES) < 0.7, rng.random(IMAGES) < 0.3
    boxes, sure = detector(rng, hits, alarms)
    both = joined([boxes, boxes], [sure, sure])
    one = ensemble(given, both, pairings(given, both.boxes), CLASSES, 0.5)
    assert len(one.chosen) == len(both.models) / 2
    measured = hits.sum() / (hits.sum() + alarms.sum())
    np.testing.assert_allclose(one.confidences, measured, atol=0.03)


def test_one_detector_is_judged_as_if_alone(rng, given):
    boxes, sure = detector(rng, rng.random(IMAGES) < 0.7, rng.random(IMAGES) < 0.3)
    found, is_chosen = ensemble_mistakenness(given, joined([boxes], [sure]), IMAGES, CLASSES)
    alone = object_mistakenness(given, boxes, sure, IMAGES, CLASSES)
    assert is_chosen.all()
    for one, other in zip(found, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_object_that_both_see_is_left_out_once_and_with_the_same_score(rng, given):
    hits = rng.random(IMAGES) < 0.9
    hits[:10] = True
    both = both_of(rng, (hits, ~hits), (hits, ~hits))
    kept = np.arange(IMAGES) != 3
    labels = boxes_of(np.flatnonzero(kept), [LEFT] * (IMAGES - 1), [0] * (IMAGES - 1))
    found, is_chosen = ensemble_mistakenness(labels, both, IMAGES, CLASSES)
    of_image = both.boxes.images == 3
    assert of_image.sum() == 2
    assert len(set(found.missing[of_image].tolist())) == 1
    assert is_chosen[of_image].sum() == 1
    assert found.missing[of_image][0] > 0.05
    assert [len(one) for one in both.split(found.missing)] == both.counts


def test_scores_follow_their_images(rng, given):
    first = (rng.random(IMAGES) < 0.7, rng.random(IMAGES) < 0.3)
    second = (rng.random(IMAGES) < 0.8, rng.random(IMAGES) < 0.2)
    both = both_of(rng, first, second)
    turned = IMAGES - 1 - both.boxes.images
    order = np.argsort(turned, kind="stable")
    other = both._replace(
        boxes=type(given)(turned[order], both.boxes.corners[order], both.boxes.classes[order]),
        confidences=both.confidences[order],
        models=both.models[order],
    )
    one, _ = ensemble_mistakenness(given, both, IMAGES, CLASSES)
    two, _ = ensemble_mistakenness(given, other, IMAGES, CLASSES)
    np.testing.assert_allclose(two.images[::-1], one.images, atol=1e-6)
    np.testing.assert_allclose(two.missing, one.missing[order], atol=1e-6)
    for scores in one[:5]:
        assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_boxes_or_none_are_defined(count):
    boxes = boxes_of(range(count), [LEFT] * count, [0] * count)
    sure = np.full(count, 0.9)
    for detectors in ([boxes, NONE], [NONE, NONE, boxes], [boxes, boxes]):
        both = joined(detectors, [sure[: len(one.images)] for one in detectors])
        for labels in (NONE, boxes):
            found, is_chosen = ensemble_mistakenness(labels, both, count, 1)
            assert np.isfinite(found.images).all()
            assert is_chosen.sum() == count
            assert [len(one) for one in both.split(found.missing)] == [len(one.images) for one in detectors]
