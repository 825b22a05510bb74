"""A similarity index as the source of vectors: it says which field and metric, and never whose values they are."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.uniqueness import NEIGHBORS, uniqueness
from saccade.dataset.errors import FieldNotFoundError, RunError, SchemaError

pytestmark = pytest.mark.usefixtures("database")


def expected(vectors, metric="euclidean"):
    distances, indices = nearest_neighbors(vectors, NEIGHBORS, metric=metric)
    return uniqueness(distances, distances[:, -1:].reshape(-1)[indices])[0].tolist()


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((12, 4)).astype(np.float32)


@pytest.fixture
def dataset(database, vectors):
    made = sc.Dataset("points")
    made.add_columns({
        "filepath": [f"/photos/{i:02}.png" for i in range(12)], "shape": vectors, "third": [i % 3 for i in range(12)],
    })  # fmt: skip
    return made


def test_a_view_with_an_index_on_the_whole_scores_its_own_samples_relative_to_itself(dataset, vectors):
    index = scb.compute_similarity(dataset, embeddings="shape", metric="euclidean")
    view = dataset.match(sc.F("third") == 1).sort_by("filepath", reverse=True)
    run = scb.compute_uniqueness(view, similarity_index=index)
    rows = [10, 7, 4, 1]
    assert view.values("uniqueness") == pytest.approx(expected(vectors[rows]))
    assert [row for row, score in enumerate(dataset.values("uniqueness")) if score is not None] == sorted(rows)
    assert run.summary()["scored"] == 4


def test_the_other_verbs_keep_to_the_view_as_well(dataset, vectors):
    scb.compute_similarity(dataset, embeddings="shape", brain_key="by_shape")
    dataset.limit(6).tag_samples("train")
    dataset.skip(6).tag_samples("test")
    view = dataset.match(sc.F("third") == 2)
    chosen = set(view.values("id"))
    scb.compute_representativeness(view, similarity_index="by_shape")
    assert set(dataset.exists("representativeness").values("id")) == chosen
    found = scb.compute_near_duplicates(view, 2.0, similarity_index="by_shape")
    assert set(found.duplicate_ids) | set(found.unique_ids) == chosen
    leaks = scb.compute_leaky_splits(view, ["train", "test"], 2.0, similarity_index="by_shape")
    assert set(leaks.leak_ids) == chosen


def test_the_index_says_the_metric_unless_another_is_asked_for(dataset, vectors):
    scb.compute_similarity(dataset, embeddings="shape", metric="cosine")
    run = scb.compute_uniqueness(dataset, similarity_index="similarity")
    assert dataset.values("uniqueness") == pytest.approx(expected(vectors, "cosine"))
    assert (run.params["embeddings"], run.params["metric"]) == ("shape", "cosine")
    assert (run.params["similarity_index"], run.reads) == ("similarity", ["shape"])
    scb.compute_uniqueness(dataset, similarity_index="similarity", metric="euclidean")
    assert dataset.values("uniqueness") == pytest.approx(expected(vectors))


def test_the_same_call_twice_gives_the_same_values_and_one_run(dataset):
    index = scb.compute_similarity(dataset, embeddings="shape")
    scb.compute_uniqueness(dataset, similarity_index=index)
    first = dataset.values("uniqueness")
    scb.compute_uniqueness(dataset, "uniqueness", None, None, index)
    assert dataset.values("uniqueness") == first
    assert dataset.list_runs() == ["similarity", "uniqueness"]


def test_an_index_of_a_view_serves_samples_outside_it_that_have_vectors(dataset, vectors):
    index = scb.compute_similarity(dataset.limit(3), embeddings="shape", metric="euclidean")
    scb.compute_uniqueness(dataset.skip(6), similarity_index=index)
    assert dataset.skip(6).values("uniqueness") == pytest.approx(expected(vectors[6:]))


def test_samples_without_a_vector_get_no_score(dataset):
    index = scb.compute_similarity(dataset, embeddings="shape")
    dataset.add_images(["/photos/late.png"])
    assert scb.compute_uniqueness(dataset, similarity_index=index).summary()["without_vector"] == 1
    assert dataset.last()["uniqueness"] is None


def test_an_index_of_vectors_given_as_an_array_is_read_from_its_field(dataset, rng):
    other = rng.standard_normal((12, 3)).astype(np.float32)
    index = scb.compute_similarity(dataset, embeddings=other, metric="euclidean", brain_key="other")
    scb.compute_uniqueness(dataset.limit(5), similarity_index=index)
    assert dataset.limit(5).values("uniqueness") == pytest.approx(expected(other[:5]))


def test_an_index_of_another_dataset_is_refused(dataset):
    other = sc.Dataset("other")
    other.add_columns({"filepath": ["/a.png"], "shape": np.ones((1, 4), dtype=np.float32)})
    index = scb.compute_similarity(other, embeddings="shape")
    with pytest.raises(RunError, match="index 'similarity' belongs to dataset 'other', and the samples to 'points'"):
        scb.compute_uniqueness(dataset, similarity_index=index)
    assert dataset.list_runs() == []


def test_what_is_no_index_is_refused(dataset):
    scb.compute_similarity(dataset, embeddings="shape", brain_key="by_shape")
    scored = scb.compute_uniqueness(dataset, embeddings="shape")
    for wrong in ("by_colour", "uniqueness"):
        with pytest.raises(RunError, match=f"no similarity index '{wrong}' on dataset 'points'; there are: by_shape"):
            scb.compute_near_duplicates(dataset, similarity_index=wrong)
    for other in (scored, dataset):
        with pytest.raises(RunError, match=r"is no similarity index\. Give what compute_similarity"):
            scb.compute_near_duplicates(dataset, similarity_index=other)


def test_two_answers_to_where_the_vectors_are_are_refused(dataset):
    index = scb.compute_similarity(dataset, embeddings="shape")
    with pytest.raises(SchemaError, match="similarity_index and embeddings both say which vectors"):
        scb.compute_uniqueness(dataset, embeddings="shape", similarity_index=index)
    with pytest.raises(SchemaError, match="similarity_index and roi_field both say which vectors"):
        scb.compute_uniqueness(dataset, roi_field="boxes", similarity_index=index)


def test_an_index_whose_field_is_gone_is_an_error_and_writes_nothing(dataset):
    index = scb.compute_similarity(dataset, embeddings="shape")
    dataset.delete_sample_field("shape")
    with pytest.raises(FieldNotFoundError, match="'shape'"):
        scb.compute_uniqueness(dataset, similarity_index=index)
    assert not dataset.has_field("uniqueness")
    assert dataset.get_run_info("uniqueness").state == "failed"
