"""A dataset on a server of one's own: TLS, a replica set, and a user who may do no more than read and write."""

from pathlib import Path

import pytest
from pymongo import MongoClient

import saccade as sc
from saccade.dataset import settings
from saccade.dataset.store import binary, connection, liveness
from tests.store.external import replica_set


@pytest.fixture
def limited_uri(tmp_path: Path, home, monkeypatch):
    """The URI of a user with `readWrite` on one database, who may not list other users' connections."""
    found = binary.find(settings.current())
    with replica_set(found.path, tmp_path, "admin", "wide") as address:
        with MongoClient(f"mongodb://admin:wide@{address}") as client:
            rights = [{"role": "readWrite", "db": "saccade"}]
            client.admin.command("createUser", "ann", pwd="s3cret", roles=rights)
        monkeypatch.setenv("SACCADE_DATABASE_URI", f"mongodb://ann:s3cret@{address}")
        yield
        connection.close()


def test_a_user_who_may_only_read_and_write_can_do_all_that_a_dataset_does(limited_uri):
    dataset = sc.Dataset("street")
    dataset.add_samples(sc.Sample(f"/images/{i}.png", size=i) for i in range(5))
    dataset.set_values("size", [5, 4, 3, 2, 1])
    dataset.match(sc.F("size") > 2).tag_samples("large")
    sample = dataset.first()
    sample["size"] = 50
    sample.save()
    dataset.delete_samples(dataset.last().id)
    again = sc.load_dataset("street")
    assert again.values("size") == [50, 4, 3, 2]
    assert again.count_sample_tags() == {"large": 3}
    sc.Dataset("fleeting", persistent=False)
    assert sc.list_datasets() == ["fleeting", "street"]
    assert "s3cret" not in repr(settings.current())
    assert liveness.is_alive(connection.app_name())
    assert not liveness.is_alive("saccade-0123456789ab-1"), "it may look only for connections of its own user"
