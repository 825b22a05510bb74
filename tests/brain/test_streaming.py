"""From files to vectors: in batches, in order, every broken file as a reason."""

import numpy as np
import pytest
from PIL import Image

from saccade.brain.models import streaming
from saccade.brain.models.callable import CallableModel
from saccade.brain.models.streaming import embed_files
from saccade.dataset.errors import WrongOutputShapeError
from saccade.dataset.media.streaming import Place


def saved(path, image, **options):
    image.save(path, **options)
    return str(path)


def mean_colour(images):
    return [image.mean(axis=(0, 1)) for image in images]


def places(paths):
    return [Place(path) for path in paths]


MODEL = CallableModel(mean_colour)


def test_batches_cover_every_path_once_and_in_order(tmp_path):
    paths = [saved(tmp_path / f"{i}.png", Image.new("RGB", (2, 2), (i, 0, 0))) for i in range(7)]
    batches = list(embed_files(places(paths), MODEL, batch_size=3))
    assert [batch.positions for batch in batches] == [[0, 1, 2], [3, 4, 5], [6]]
    assert np.concatenate([batch.vectors for batch in batches])[:, 0].tolist() == list(range(7))


def test_broken_files_become_reasons_and_the_rest_is_embedded(tmp_path):
    good = saved(tmp_path / "a.png", Image.new("RGB", (2, 2), (9, 9, 9)))
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    paths = [str(tmp_path / "none.png"), good, str(tmp_path / "b.png")]
    (batch,) = embed_files(places(paths), MODEL)
    assert batch.positions == [1]
    assert batch.vectors.tolist() == [[9, 9, 9]]
    assert list(batch.failures) == [0, 2]
    assert batch.failures[0] == "the file does not exist"


def test_a_batch_of_broken_files_alone_never_calls_the_model():
    (batch,) = embed_files(places(["/nowhere/1.png", "/nowhere/2.png"]), CallableModel(lambda images: 1 / 0))
    assert batch.positions == []
    assert len(batch.failures) == 2


def test_no_paths_give_no_batches():
    assert list(embed_files([], MODEL)) == []


def test_a_vector_with_nan_is_a_failure_of_its_image_alone(tmp_path):
    paths = [saved(tmp_path / f"{i}.png", Image.new("RGB", (2, 2), (i, 0, 0))) for i in range(3)]
    model = CallableModel(lambda images: [[1.0, np.nan if i == 1 else 0.0] for i in range(len(images))], name="odd")
    (batch,) = embed_files(places(paths), model)
    assert batch.positions == [0, 2]
    assert batch.failures == {1: "model 'odd' returned NaN or infinity"}


@pytest.mark.parametrize("shape", [(1, 4), (2, 3, 3, 8), (2,), (2, 0)])
def test_a_model_of_another_shape_is_refused_with_both_shapes(shape, tmp_path):
    paths = [saved(tmp_path / f"{i}.png", Image.new("RGB", (2, 2))) for i in range(2)]
    model = CallableModel(lambda images: np.zeros(shape), name="my-net")
    with pytest.raises(WrongOutputShapeError, match=r"'my-net' returned shape .* for 2 images; expected \(2, d\)"):
        list(embed_files(places(paths), model))


def test_very_large_images_close_a_batch_early(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "_PIXELS", 150)
    paths = [saved(tmp_path / f"{i}.png", Image.new("RGB", (10, 10))) for i in range(4)]
    assert [batch.positions for batch in embed_files(places(paths), MODEL)] == [[0, 1], [2, 3]]
