"""The steps that bring an older stored form of a dataset to the present one.

A step makes one form of the form before it. It can be repeated, also after it was stopped half-way, and leaves alone
what it has done already. It is run by `journal.migrate`, while no other writer is at the dataset.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bson import ObjectId
from pymongo import UpdateOne

from .actions import Hold
from .calls import collection, resilient
from .catalog import get_dataset


class Step(NamedTuple):
    """One step.

    Attributes:
        version: the form that it makes of the one before.
        apply: does it; asks its hold before each write.
    """

    version: int
    apply: Callable[[Hold], None]


def pending(dataset_id: str, steps: Sequence[Step]) -> list[Step]:
    """The steps that a dataset still needs.

    Raises:
        DatasetNotFoundError: if it was deleted.
    """
    version = int(get_dataset(dataset_id)["format_version"])
    return [step for step in steps if step.version > version]


def note_form(hold: Hold, version: int, library_version: str) -> None:
    """Note that a dataset has a form now; the revision shows those who have it open that it is another one."""
    query = {"_id": ObjectId(hold.dataset_id), "format_version": {"$lt": version}}
    changes = {
        "$set": {"format_version": version, "library_version": library_version}, "$inc": {"schema_revision": 1}
    }  # fmt: skip
    resilient(lambda: collection("datasets").update_one(query, changes, comment=hold.mark), hold.guard)


def _number_fields(hold: Hold) -> None:
    """Form 2: the places of fields are counted. They were times, and two fields of one millisecond changed places.

    Half-way, those that have a new place still come before all others, since no new place is higher than the old one.
    """
    identity = ObjectId(hold.dataset_id)

    def number() -> None:
        found = list(collection("fields").find({"dataset": identity}, {"_id": 1}).sort([("order", 1), ("_id", 1)]))
        requests = [UpdateOne({"_id": one["_id"]}, {"$set": {"order": place}}) for place, one in enumerate(found)]
        if requests:
            collection("fields").bulk_write(requests, comment=hold.mark)
        collection("counters").update_one({"_id": identity}, {"$max": {"fields": len(found)}}, comment=hold.mark)

    resilient(number, hold.guard)


STEPS: tuple[Step, ...] = (Step(2, _number_fields),)
"""All steps, by their versions; the last one makes the present form."""
