"""A process that loads a stored dataset. `test_forms` runs it.

    python -m tests.store.forms.loading whole|killed

It notes in the database that it did the step to form 2, takes its time for it, and prints the form that it has loaded;
or it is killed when it has done half of it.
"""

import os
import signal
import sys
import time

import saccade as sc
from saccade.dataset.store import actions, catalog, connection, migrations
from tests.store.forms.write import NAME

(REAL,) = [step.apply for step in migrations.STEPS if step.version == 2]


def slowly(hold: actions.Hold) -> None:
    """Do the real step, and leave a trace."""
    connection.database()["applied"].insert_one({"process": os.getpid()})
    print("at the step", flush=True)
    time.sleep(0.7)
    REAL(hold)


def half(hold: actions.Hold) -> None:
    """Do the first half of the real step, and die."""
    fields = connection.database()["fields"]
    found = list(fields.find().sort([("order", 1), ("_id", 1)]))
    for place, record in enumerate(found[: len(found) // 2]):
        fields.update_one({"_id": record["_id"]}, {"$set": {"order": place}}, comment=hold.mark)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    chosen = {"whole": slowly, "killed": half}[sys.argv[1]]
    migrations.STEPS = (migrations.Step(2, chosen), *migrations.STEPS[1:])
    dataset = sc.load_dataset(NAME)
    print(catalog.get_dataset(dataset._id)["format_version"], flush=True)
