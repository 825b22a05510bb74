"""Mistakenness of masks: worked numbers, what must always hold, and the edges."""

import numpy as np
import pytest

from saccade.brain.kernels.segmentation_mistakenness import (
    UNJUDGED,
    disagreement_depth,
    patch_doubt,
    patch_width,
    segmentation_mistakenness,
)


def sure_of(classes, count=3, confidence=0.9):
    """Probabilities that have a class for every pixel."""
    p = np.full((*classes.shape, count), (1 - confidence) / (count - 1))
    np.put_along_axis(p, classes[..., None], confidence, axis=-1)
    return p


@pytest.fixture
def scene():
    """A ground with a wall in its left half, and a model whose boundary is unsure."""
    mask = np.zeros((20, 20), dtype=int)
    mask[:, :10] = 1
    p = sure_of(mask)
    p[:, 9:11] = [0.5, 0.49, 0.01]
    return mask, p


def test_where_the_model_has_another_class_everywhere_the_log_odds_and_the_number_of_patches_count():
    # Every patch speaks with ln(0.9 / 0.1); there are 36 pixels, which is four patches of nine: ln(9) + ln(4) / 4.
    p = np.full((6, 6, 2), [0.1, 0.9])
    found = patch_doubt(np.zeros((6, 6), dtype=int), [p], width=3)
    assert found.evidence == pytest.approx(np.log(9) + np.log(4) / 4)
    assert found.probability == pytest.approx(0.9)
    assert (found.given, found.believed) == (0, 1)


def test_the_exponent_multiplies_the_evidence():
    p = np.full((6, 6, 2), [0.1, 0.9])
    found = patch_doubt(np.zeros((6, 6), dtype=int), [p], width=3, exponent=0.5)
    assert found.evidence == pytest.approx(np.log(9) / 2 + np.log(4) / 4)
    assert found.probability == pytest.approx(0.75)


def test_the_score_is_bayes_rule_on_what_stands_out_from_the_usual_evidence():
    # The median is 0, the middle distance from it, with two of 9 more, is 1: the spread is 1.4826. At 1, Student's t
    # with 8 degrees has the density 0.3015 / 1.4826 and wrong masks 1 / 9: 0.02795 by Bayes' rule, where the model is
    # sure of another class.
    scores = segmentation_mistakenness([-1.0, -1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 0.5])
    np.testing.assert_allclose(scores[3:], [0.027953, 0.027953 / 2], rtol=1e-3)


def test_a_swapped_a_missing_and_a_spurious_region_stand_out_of_an_unsure_boundary(scene):
    mask, p = scene
    usual = patch_doubt(mask, [p]).evidence
    assert usual < 0
    swapped, spurious = mask.copy(), mask.copy()
    swapped[:, :10] = 2
    spurious[3:9, 13:19] = 2
    seen = p.copy()
    seen[3:9, 13:19] = [0.05, 0.05, 0.9]
    for given, probabilities, pair in ((swapped, p, (2, 1)), (spurious, p, (2, 0)), (mask, seen, (0, 2))):
        found = patch_doubt(given, [probabilities])
        assert found.evidence > 2
        assert (found.given, found.believed) == pair
    assert (mask[found.row, found.column], 3 <= found.row < 9, 13 <= found.column < 19) == (0, True, True)


def test_a_mask_that_is_shifted_by_much_is_doubted_and_by_a_pixel_is_not(scene):
    mask, p = scene
    assert patch_doubt(np.roll(mask, 1, axis=1), [p]).evidence < patch_doubt(np.roll(mask, 6, axis=1), [p]).evidence - 2


def test_blocks_of_rows_give_what_the_whole_gives(scene, rng):
    mask, _ = scene
    p = rng.dirichlet(np.ones(3), (20, 20))
    assert patch_doubt(mask, [p[:7], p[7:8], p[8:]]) == patch_doubt(mask, [p])


def test_evidence_follows_when_classes_are_renamed_and_images_are_mirrored(scene, rng):
    mask, _ = scene
    p = rng.dirichlet(np.ones(3), (20, 20))
    plain = patch_doubt(mask, [p])
    names = np.array([2, 0, 1])
    renamed = patch_doubt(names[mask], [p[..., np.argsort(names)]])
    assert renamed.evidence == pytest.approx(plain.evidence)
    assert (renamed.given, renamed.believed) == (names[plain.given], names[plain.believed])
    mirrored = patch_doubt(mask[:, ::-1], [p[:, ::-1]])
    assert mirrored.evidence == pytest.approx(plain.evidence)
    assert mirrored.column == 19 - plain.column


def test_pixels_that_are_not_judged_do_not_speak(scene):
    mask, p = scene
    wrong = mask.copy()
    wrong[:6, :6] = 2
    hidden = wrong.copy()
    hidden[:6, :6] = UNJUDGED
    assert patch_doubt(hidden, [p]).evidence < 0.5 < patch_doubt(wrong, [p]).evidence
    found = patch_doubt(np.full((20, 20), UNJUDGED), [p])
    assert np.isnan(found.evidence)
    assert found.given == UNJUDGED


def test_with_one_class_there_is_no_doubt():
    found = patch_doubt(np.zeros((4, 4), dtype=int), [np.ones((4, 4, 1))])
    assert (found.evidence <= 0.5, found.given, found.believed) == (True, 0, 0)


def test_probabilities_of_zero_and_one_are_no_trouble():
    p = np.zeros((8, 8, 2))
    p[..., 0] = 1
    assert np.isfinite(patch_doubt(np.ones((8, 8), dtype=int), [p]).evidence)


def test_an_image_smaller_than_a_patch_is_judged():
    assert patch_doubt(np.zeros((1, 2), dtype=int), [np.full((1, 2, 2), [0.1, 0.9])], width=5).given == 0


def test_depth_is_the_distance_to_where_both_agree():
    given, believed = np.zeros((9, 9), dtype=int), np.zeros((9, 9), dtype=int)
    assert disagreement_depth(given, believed) == 0
    believed[2:7, 2:7] = 1  # of 25 pixels, one is three deep, eight two, sixteen one: nine of ten are at most two
    assert disagreement_depth(given, believed) == 2
    given[2:7, 2:7] = UNJUDGED
    assert disagreement_depth(given, believed) == 0
    given[:] = UNJUDGED
    assert np.isnan(disagreement_depth(given, believed))
    assert disagreement_depth(np.zeros((3, 4), dtype=int), np.ones((3, 4), dtype=int)) == 4


def test_patches_are_wider_than_usual_differences():
    assert patch_width([]) == patch_width([np.nan]) == patch_width([1.0]) == 3
    assert patch_width([4.0, 4.2, 50.0]) == 9
    assert patch_width([0.0, 0.0, 0.0, 50.0]) == 3, "one wrong mask does not tell what is usual"


def test_scores_follow_their_images_when_these_are_shuffled(rng):
    evidence, believed = rng.standard_normal(50), rng.random(50)
    order = rng.permutation(50)
    np.testing.assert_allclose(
        segmentation_mistakenness(evidence[order], believed[order]),
        segmentation_mistakenness(evidence, believed)[order],
        atol=1e-12,
    )


def test_what_stands_out_is_doubted_only_where_the_model_believes_otherwise():
    evidence = [-5.0] * 20 + [3.0]
    assert segmentation_mistakenness(evidence, [0.0] * 20 + [0.95])[-1] > 0.9
    assert segmentation_mistakenness(evidence, [0.0] * 20 + [0.4])[-1] < 0.5


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_of_none_one_two_and_three_images_none_is_doubted(n):
    scores = segmentation_mistakenness([0.0, 1.0, 4.0][:n], [0.5, 0.7, 1.0][:n])
    assert scores.shape == (n,)
    assert ((scores >= 0) & (scores < 0.5)).all()


def test_identical_images_have_identical_scores():
    assert np.ptp(segmentation_mistakenness([5.0] * 6, [0.9] * 6)) == 0


def test_what_does_not_fit_is_refused(scene):
    mask, p = scene
    with pytest.raises(ValueError, match="probabilities have 10 rows and the mask 20"):
        patch_doubt(mask, [p[:10]])
    with pytest.raises(ValueError, match="do not fit the mask"):
        patch_doubt(mask, [p[:, :10]])
    with pytest.raises(ValueError, match="do not fit the mask"):
        patch_doubt(mask + 2, [p])
    with pytest.raises(ValueError, match="expected \\(h, w\\) class numbers"):
        patch_doubt(mask[0], [p])
    with pytest.raises(ValueError, match="expected the same"):
        disagreement_depth(mask, mask[:5])
    with pytest.raises(ValueError, match="without NaN"):
        segmentation_mistakenness([0.0, np.nan], [0.5, 0.5])
    with pytest.raises(ValueError, match=r"evidence has shape \(2,\) and probabilities \(1,\)"):
        segmentation_mistakenness([0.0, 1.0], [0.5])
