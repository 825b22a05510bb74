"""The uniqueness verb: reads vectors, writes one field in one step, and says what it did."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.uniqueness import NEIGHBORS, nearest_uniqueness, uniqueness
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, RunError, SchemaError

pytestmark = pytest.mark.usefixtures("database")


def expected(vectors):
    distances, indices = nearest_neighbors(vectors, NEIGHBORS)
    return uniqueness(distances, distances[:, -1:].reshape(-1)[indices])[0].tolist()


@pytest.fixture
def vectors(rng):
    rows = rng.standard_normal((20, 6)).astype(np.float32)
    rows[7] = rows[3]
    return rows


@pytest.fixture
def dataset(database, vectors):
    made = sc.Dataset("points")
    made.add_columns({"filepath": [f"/photos/{i}.png" for i in range(20)], "embedding": vectors})
    return made


def test_scores_are_those_of_the_kernel_on_the_right_samples(dataset, vectors):
    scb.compute_uniqueness(dataset)
    assert dataset.values("uniqueness") == pytest.approx(expected(vectors))
    assert dataset.values("uniqueness")[3] == dataset.values("uniqueness")[7] == 0


def test_the_run_says_what_was_done_and_begins_with_the_most_unique(dataset):
    run = scb.compute_uniqueness(dataset)
    assert (run.key, run.operation, run.state) == ("uniqueness", "uniqueness", "completed")
    assert (run.reads, run.writes) == (["embedding"], ["uniqueness"])
    assert run.params == {
        "embeddings": "embedding", "method": "local", "metric": "euclidean", "neighbors": 20, "reference": None,
    }  # fmt: skip
    assert run.summary()["scored"] == 20
    assert run.summary()["quartiles"][0] == 0
    scores = run.view().values("uniqueness")
    assert scores == sorted(scores, reverse=True)
    assert "uniqueness" in repr(run)


def test_an_array_of_vectors_is_scored_like_a_field(dataset, rng):
    vectors = rng.standard_normal((20, 3))
    run = scb.compute_uniqueness(dataset, "other", embeddings=vectors)
    assert dataset.values("other") == pytest.approx(expected(vectors))
    assert run.params["embeddings"] == "(array)"


def test_a_view_is_scored_relative_to_itself_and_in_its_own_order(dataset, vectors):
    view = dataset.sort_by("filepath", reverse=True).limit(8)
    rows = [int(path.split("/")[-1][:-4]) for path in view.values("filepath")]
    scb.compute_uniqueness(view)
    assert view.values("uniqueness") == pytest.approx(expected(vectors[rows]))
    assert dataset.count("uniqueness") == 8


def test_samples_without_a_vector_get_no_score(dataset, vectors):
    dataset.add_images(["/photos/late.png"])
    run = scb.compute_uniqueness(dataset)
    assert run.summary()["without_vector"] == 1
    assert dataset.last()["uniqueness"] is None
    assert dataset.values("uniqueness")[:20] == pytest.approx(expected(vectors))


@pytest.mark.parametrize("verb", ["uniqueness", "representativeness"])
def test_a_sample_that_has_lost_its_vector_loses_its_score(dataset, verb):
    compute = getattr(scb, f"compute_{verb}")
    compute(dataset)
    dataset.limit(1).set_values("embedding", [None])
    compute(dataset.skip(1))
    assert dataset.first()[verb] is not None, "it was not asked for"
    compute(dataset)
    assert dataset.first()[verb] is None
    assert dataset.count(verb) == dataset.count() - 1


def test_the_same_call_twice_gives_the_same_values_and_one_run(dataset):
    scb.compute_uniqueness(dataset)
    first = dataset.values("uniqueness")
    scb.compute_uniqueness(dataset)
    assert dataset.values("uniqueness") == first
    assert dataset.list_runs() == ["uniqueness"]


def test_deleting_the_run_removes_what_it_wrote(dataset):
    scb.compute_uniqueness(dataset)
    dataset.delete_run("uniqueness")
    assert not dataset.has_field("uniqueness")
    assert dataset.list_runs() == []


@pytest.mark.parametrize("size", [1, 2, 3])
def test_one_two_and_three_samples_are_scored(database, vectors, size):
    few = sc.Dataset("few")
    few.add_columns({"filepath": [f"/{i}.png" for i in range(size)], "embedding": vectors[:size]})
    scb.compute_uniqueness(few)
    assert few.values("uniqueness") == pytest.approx(expected(vectors[:size]))


def test_an_empty_dataset_is_scored_without_a_word(database):
    empty = sc.Dataset("empty")
    run = scb.compute_uniqueness(empty, embeddings=np.empty((0, 4)))
    assert run.summary() == {"scored": 0, "without_vector": 0}


def test_a_missing_field_is_answered_with_the_verb_that_makes_it(dataset):
    with pytest.raises(
        FieldNotFoundError, match=r"no field 'clip' .* compute_embeddings\(samples, embeddings_field='clip'\)"
    ):
        scb.compute_uniqueness(dataset, embeddings="clip")
    assert dataset.get_run_info("uniqueness").state == "failed"
    assert not dataset.has_field("uniqueness")


def test_a_view_without_any_vector_is_answered_with_what_to_do(dataset):
    dataset.add_images(["/photos/late.png"])
    with pytest.raises(
        SchemaError, match=r"none of the 1 samples has a vector in field 'embedding'\. Run compute_embeddings"
    ):
        scb.compute_uniqueness(dataset.skip(20))


def test_nan_in_row_7_names_the_sample_and_writes_nothing(dataset, vectors):
    broken = vectors.copy()
    broken[7, 2] = np.nan
    seventh = dataset.values("id")[7]
    with pytest.raises(FieldKindError, match=rf"NaN or infinity for sample {seventh} \(row 7\)"):
        scb.compute_uniqueness(dataset, embeddings=broken)
    assert not dataset.has_field("uniqueness")


def test_an_array_of_another_length_is_refused(dataset):
    with pytest.raises(SchemaError, match=r"embeddings has shape \(19, 3\); expected \(20, d\)"):
        scb.compute_uniqueness(dataset, embeddings=np.zeros((19, 3)))


def test_progress_is_reported_to_a_function(dataset):
    seen = []
    scb.compute_uniqueness(dataset, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (20, 20)


def test_without_a_vector_field_the_built_in_descriptor_makes_one(database, image_files):
    images = sc.Dataset("images")
    images.add_images(image_files)
    scb.compute_uniqueness(images)
    assert images.count("embedding") == 10
    assert images.values("uniqueness")[0] == images.values("uniqueness")[9] == 0
    assert sorted(images.list_runs()) == ["embedding", "uniqueness"]


def test_a_model_fills_the_field_that_is_named(database, image_files):
    images = sc.Dataset("images")
    images.add_images(image_files)
    run = scb.compute_uniqueness(images, embeddings="means", model=lambda pictures: [p.mean((0, 1)) for p in pictures])
    assert images.count("means") == run.summary()["scored"] == 10
    with pytest.raises(SchemaError, match="embeddings is an array and model was given too"):
        scb.compute_uniqueness(images, embeddings=np.zeros((10, 2)), model="builtin")


def test_the_published_formula_is_there_by_name_in_both_metrics(dataset, vectors):
    for metric in ("euclidean", "cosine"):
        run = scb.compute_uniqueness(dataset, metric, method="nearest", metric=metric)
        distances = nearest_neighbors(vectors, 3, metric=metric)[0]
        assert dataset.values(metric) == pytest.approx(nearest_uniqueness(distances).tolist())
        assert max(dataset.values(metric)) == 1
        assert (run.params["method"], run.params["metric"], run.params["neighbors"]) == ("nearest", metric, 3)


@pytest.mark.parametrize("arguments", [{"method": "far"}, {"metric": "manhattan"}])
def test_an_unknown_method_or_metric_is_refused_before_anything_is_done(dataset, arguments):
    with pytest.raises(SchemaError, match=r"expected 'local' or 'nearest'|expected 'cosine' or 'euclidean'"):
        scb.compute_uniqueness(dataset, **arguments)
    assert dataset.list_runs() == []


def test_against_the_set_itself_the_scores_are_those_of_the_set(dataset, vectors):
    view = dataset.limit(5)
    scb.compute_uniqueness(view, "within", reference=dataset)
    assert view.values("within") == pytest.approx(expected(vectors)[:5])
    assert dataset.count("within") == 5


def test_arrivals_are_scored_by_what_an_earlier_run_found_usual(dataset, vectors, rng):
    run = scb.compute_uniqueness(dataset)
    arrivals = sc.Dataset("arrivals")
    arrivals.add_columns({
        "filepath": ["/a.png", "/b.png", "/c.png"],
        "embedding": np.stack([vectors[5], vectors[5] + 100, rng.standard_normal(6)]).astype(np.float32),
    })  # fmt: skip
    later = scb.compute_uniqueness(arrivals, reference=run)
    copy, far, usual = arrivals.values("uniqueness")
    assert copy == 0
    assert far > 0.99
    assert copy < usual < far
    assert later.summary()["calibration"] == run.summary()["calibration"]
    scb.compute_uniqueness(arrivals, "against_dataset", reference=dataset)
    assert arrivals.values("against_dataset") == arrivals.values("uniqueness")


def test_samples_added_after_a_run_are_no_part_of_what_it_measured(dataset, vectors):
    run = scb.compute_uniqueness(dataset)
    dataset.add_columns({"filepath": ["/late.png", "/later.png"], "embedding": np.full((2, 6), 50, dtype=np.float32)})
    late = dataset.skip(20)
    scb.compute_uniqueness(late, "novelty", reference=run)
    assert min(late.values("novelty")) > 0.99


def test_a_reference_of_another_length_or_without_calibration_is_refused(dataset, vectors):
    other = sc.Dataset("other")
    other.add_columns({"filepath": ["/a.png"] * 3, "embedding": np.ones((3, 2), dtype=np.float32)})
    with pytest.raises(SchemaError, match=r"vectors of \{'dimension': 6\} here and of \{'dimension': 2\}"):
        scb.compute_uniqueness(dataset, reference=other)
    nearest = scb.compute_uniqueness(dataset, "published", method="nearest")
    with pytest.raises(RunError, match=r"run 'published' .* cannot be the reference"):
        scb.compute_uniqueness(dataset, "again", reference=nearest)
    with pytest.raises(SchemaError, match="knows no reference"):
        scb.compute_uniqueness(dataset, method="nearest", reference=dataset)
    with pytest.raises(SchemaError, match="embeddings is an array"):
        scb.compute_uniqueness(dataset, embeddings=vectors, reference=dataset)


def test_an_empty_dataset_without_any_field_is_scored_without_a_word(database):
    assert scb.compute_uniqueness(sc.Dataset("empty")).summary() == {"scored": 0, "without_vector": 0}


def test_a_run_that_is_stopped_writes_nothing_and_says_interrupted(dataset):
    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scb.compute_uniqueness(dataset, progress=stop)
    assert not dataset.has_field("uniqueness")
    assert dataset.get_run_info("uniqueness").state == "interrupted"


def test_half_floats_and_identical_samples_are_scored(dataset, vectors):
    scb.compute_uniqueness(dataset, embeddings=vectors.astype(np.float16))
    assert dataset.values("uniqueness")[3] == 0
    scb.compute_uniqueness(dataset, embeddings=np.ones((20, 4)))
    assert dataset.values("uniqueness") == [0] * 20


def test_a_filtered_view_is_scored_within_itself(dataset, vectors):
    view = dataset.match(sc.F("filepath") > "/photos/5.png")
    scb.compute_uniqueness(view)
    rows = [int(path.split("/")[-1][:-4]) for path in view.values("filepath")]
    assert view.values("uniqueness") == pytest.approx(expected(vectors[rows]))
    assert dataset.count("uniqueness") == len(rows) < 20
