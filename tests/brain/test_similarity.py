"""Similarity: the kernel, the stage that keeps a question and no answer, and the index."""

import json

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.similarity import similarity_order
from saccade.brain.operations.similarity import SimilarityIndex
from saccade.dataset import stages
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, RunError, SchemaError, ViewError

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((40, 5)).astype(np.float32)


@pytest.fixture
def dataset(database, vectors):
    made = sc.Dataset("points")
    made.add_columns({
        "filepath": [f"/photos/{i:02}.png" for i in range(40)], "embedding": vectors,
        "half": [i % 2 for i in range(40)],
    })  # fmt: skip
    return made


def by_angle(vectors, query):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.argsort(1 - unit @ (query / np.linalg.norm(query)), kind="stable")


def test_distances_are_those_of_the_metric_and_equal_rows_keep_their_order():
    rows = [[3.0, 0.0], [0.0, 0.0], [0.0, 4.0], [3.0, 0.0]]
    order, distances = similarity_order(rows, [6.0, 0.0], metric="euclidean")
    assert (order.tolist(), distances.tolist()) == ([0, 3, 1, 2], pytest.approx([3, 3, 6, np.sqrt(52)]))
    order, distances = similarity_order(rows, [6.0, 0.0], reverse=True)
    assert (order.tolist(), distances.tolist()) == ([2, 1, 0, 3], [1, 0.5, 0, 0])


@pytest.mark.parametrize("query", [[1.0], [[1.0, 2.0, 3.0]], [np.nan, 0.0]])
def test_a_query_that_does_not_fit_is_refused_by_the_kernel(query):
    with pytest.raises(ValueError, match=r"length|NaN"):
        similarity_order([[0.0, 1.0]], query)


def test_a_sample_an_id_and_its_vector_ask_the_same(dataset, vectors):
    ids = dataset.values("id")
    expected = [ids[row] for row in by_angle(vectors, vectors[7])]
    assert dataset.sort_by_similarity(dataset[ids[7]]).values("id") == expected
    assert dataset.sort_by_similarity(ids[7]).values("id") == expected
    assert dataset.sort_by_similarity(vectors[7]).values("id") == expected
    assert dataset.sort_by_similarity(vectors[7].tolist(), k=3).values("id") == expected[:3]
    assert [sample.id for sample in dataset.sort_by_similarity(ids[7], k=4)] == expected[:4]
    assert expected[0] == ids[7]


def test_several_queries_are_their_mean_direction(dataset, vectors):
    ids = dataset.values("id")
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = [ids[row] for row in by_angle(vectors, unit[3] + unit[9])]
    assert dataset.sort_by_similarity([ids[3], ids[9]]).values("id") == expected
    assert dataset.sort_by_similarity(vectors[[3, 9]]).values("id") == expected


def test_the_least_similar_come_first_on_request(dataset, vectors):
    ids = dataset.values("id")
    order = by_angle(vectors, vectors[0])[::-1]
    assert dataset.sort_by_similarity(ids[0], k=5, reverse=True).values("id") == [ids[row] for row in order[:5]]


def test_a_view_is_sorted_within_itself_and_can_be_narrowed_after(dataset, vectors):
    ids = dataset.values("id")
    view = dataset.match(sc.F("half") == 1).sort_by_similarity(ids[0])
    expected = [ids[row] for row in by_angle(vectors, vectors[0]) if row % 2]
    assert view.values("id") == expected
    assert view.limit(2).values("id") == expected[:2]
    assert view.match(sc.F("filepath") > "/photos/20").values("half") == [1] * 10
    assert len(view) == view.count("filepath") == 20
    assert view.first().id == expected[0]


def test_the_view_keeps_the_vector_and_no_ids_and_is_the_same_when_read_again(dataset, vectors):
    view = dataset.sort_by_similarity(dataset.first(), k=6)
    stored = json.dumps(view.to_dict())
    assert not any(key in stored for key in dataset.values("id"))
    again = dataset.view_from_dict(json.loads(stored))
    assert again == view
    assert again.values("id") == view.values("id")
    dataset.save_view("like the first", view)
    assert dataset.load_saved_view("like the first").values("id") == view.values("id")
    assert "sort_by_similarity" in repr(view)


def test_what_was_added_and_deleted_meanwhile_is_found_and_gone(dataset, vectors):
    view = dataset.sort_by_similarity(vectors[7], k=3)
    before = view.values("id")
    (late,) = dataset.add_columns({"filepath": ["/late.png"], "embedding": vectors[[7]]})
    assert view.values("id") == [before[0], late, before[1]]
    dataset.delete_samples(before[:1])
    assert view.values("id") == [late, *before[1:]]


def test_samples_without_a_vector_are_left_out(dataset):
    dataset.add_images(["/plain.png"])
    assert len(dataset.sort_by_similarity(dataset.first())) == 40
    with pytest.raises(ViewError, match=r"no sample .* with a vector in field 'embedding'"):
        dataset.sort_by_similarity(dataset.last())


def test_a_view_by_similarity_can_follow_another_by_concat(dataset, vectors):
    ids = dataset.values("id")
    both = dataset.limit(1).concat(dataset.sort_by_similarity(ids[5], k=2))
    assert both.values("id") == [ids[0], *(ids[row] for row in by_angle(vectors, vectors[5])[:2])]


def test_distances_are_written_on_request(dataset, vectors):
    view = dataset.sort_by_similarity(vectors[4], k=5, dist_field="distance")
    found = view.values("distance")
    assert found == sorted(found)
    assert found[0] == pytest.approx(0, abs=1e-12)
    assert dataset.count("distance") == 5


def test_scores_can_be_computed_on_a_view_by_similarity(dataset):
    view = dataset.sort_by_similarity(dataset.first(), k=10)
    scb.compute_uniqueness(view)
    assert dataset.count("uniqueness") == 10
    assert dataset.get_run_info("uniqueness").view().count() == 10


def test_an_index_names_a_field_and_a_metric(dataset, vectors):
    index = scb.compute_similarity(dataset, metric="euclidean")
    ids = dataset.values("id")
    expected = [ids[row] for row in np.argsort(np.linalg.norm(vectors - vectors[2], axis=1), kind="stable")]
    assert index.sort_by_similarity(ids[2]).values("id") == expected
    assert dataset.sort_by_similarity(ids[2]).values("id") == expected
    assert index.index_size == 40
    np.testing.assert_array_equal(index.get_embeddings()[0], vectors)
    assert isinstance(sc.load_dataset("points").load_run("similarity"), SimilarityIndex)


def test_an_array_is_stored_under_the_key_of_the_index(dataset, rng):
    other = rng.standard_normal((40, 3))
    index = scb.compute_similarity(dataset, embeddings=other, brain_key="shape")
    assert index.writes == ["shape"]
    assert dataset.sort_by_similarity([0.0, 0.0, 1.0], k=1, brain_key="shape").values("id") == [
        dataset.values("id")[by_angle(other, np.array([0, 0, 1.0]))[0]]
    ]
    with pytest.raises(ViewError, match="the query has length 5; the vectors in 'shape' have length 3"):
        dataset.sort_by_similarity(np.ones(5)).values("id")
    dataset.delete_run("shape")
    assert not dataset.has_field("shape")


def test_an_index_of_a_view_finds_within_it_and_the_dataset_can_use_it(dataset):
    index = scb.compute_similarity(dataset.limit(10))
    assert len(index.sort_by_similarity(dataset.last())) == 10
    assert len(dataset.match(sc.F("half") == 0).sort_by_similarity(dataset.last())) == 20


def test_several_indexes_have_to_be_told_apart(dataset):
    scb.compute_similarity(dataset, brain_key="one")
    scb.compute_similarity(dataset, brain_key="two", metric="euclidean")
    with pytest.raises(RunError, match="several similarity indexes: one, two"):
        dataset.sort_by_similarity(dataset.first())
    with pytest.raises(RunError, match="no similarity index 'three'; there are: one, two"):
        dataset.sort_by_similarity(dataset.first(), brain_key="three")


def test_an_index_whose_computing_failed_is_none(dataset):
    with pytest.raises(SchemaError, match="expected"):
        scb.compute_similarity(dataset, embeddings=np.ones((2, 3)), brain_key="wrong")
    scb.compute_similarity(dataset, brain_key="right")
    assert len(dataset.sort_by_similarity(dataset.first(), k=3)) == 3
    with pytest.raises(RunError, match="no similarity index 'wrong'"):
        dataset.sort_by_similarity(dataset.first(), brain_key="wrong")
    with pytest.raises(RunError, match="no similarity index 'wrong'"):
        scb.compute_uniqueness(dataset, similarity_index="wrong")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("a red car", "is text, which needs a model"),
        ([], "no query"),
        ([float("nan")] * 5, "no vector of finite numbers"),
    ],
)
def test_a_query_that_cannot_be_is_refused(dataset, query, message):
    with pytest.raises(ViewError, match=message):
        dataset.sort_by_similarity(query)


def test_a_dataset_without_vectors_is_answered_with_what_makes_an_index(database):
    with pytest.raises(FieldNotFoundError, match="compute_similarity"):
        sc.Dataset("empty").sort_by_similarity([1.0])


def test_the_stage_refuses_what_cannot_be_sorted(dataset):
    with pytest.raises(ViewError, match="k=0"):
        stages.SortBySimilarity([1.0], "embedding", k=0)
    with pytest.raises(ViewError, match="metric='angle'"):
        stages.SortBySimilarity([1.0], "embedding", metric="angle")
    with pytest.raises(FieldKindError, match=r"'half' is a .*, not a vector field"):
        dataset.add_stage(stages.SortBySimilarity([1.0], "half"))
