"""A process that writes to a dataset in every way, and says what was acknowledged. `test_two_writers` runs it.

    python -m tests.store.writing WHO WRITES

It prints "ready", waits for a line, and then one line of JSON for each call that returned: what is there now. WRITES is
the number of values, samples, tags and vectors that it writes, each of them counted on each sample.
"""

import json
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

import saccade as sc

NAME = "street"
SHARED = 60
"""So many samples are there from the beginning; each of two writers owns every other one of them."""


class Writer:
    """Writes under its own name: fields and tags of its own on all samples, and all fields on samples of its own."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.chance = random.Random(who)
        self.dataset = sc.load_dataset(NAME)
        self.shared = self.dataset.limit(SHARED).values("id")
        self.own = self.shared[int(who) :: 2]
        self.number = 0

    def value(self) -> int:
        """A number that no other write uses."""
        self.number += 1
        return 2 * self.number + int(self.who)

    def some(self, of: list[str]) -> list[str]:
        return self.chance.sample(of, 10)

    def add(self) -> list[Any]:
        numbers = [self.value() for _ in range(10)]
        ids = self.dataset.add_samples(
            [sc.Sample(f"/{n}.png", tags=[f"t{n}"], n=n, late=n, embedding=np.full(4, n)) for n in numbers]
        )
        self.own.extend(ids)
        return ["add", ids, numbers]

    def edit(self) -> list[Any]:
        """One sample, its tags and a vector; the other writer does the same to the same samples."""
        sample = self.dataset[self.chance.choice(self.shared)]
        number = self.value()
        sample[f"seen{self.who}"] = number
        sample[f"vector{self.who}"] = np.full(3, float(number))
        sample.tags.append(f"t{number}")
        sample.save()
        return ["edit", sample.id, number]

    def set_own(self) -> list[Any]:
        """A field that both write, each on its samples."""
        ids = self.some(self.own)
        numbers = [self.value() for _ in ids]
        self.dataset.set_values("n", dict(zip(ids, numbers, strict=True)))
        return ["set", "n", ids, numbers]

    def set_shared(self) -> list[Any]:
        """A field of its own, on samples that both write."""
        ids = self.some(self.shared)
        numbers = [self.value() for _ in ids]
        self.dataset.set_values(f"field{self.who}", dict(zip(ids, numbers, strict=True)))
        return ["set", f"field{self.who}", ids, numbers]

    def tag(self) -> list[Any]:
        ids = self.some(self.shared)
        number = self.value()
        self.dataset.select(ids).tag_samples(f"t{number}")
        return ["tag", ids, number]

    def embed(self) -> list[Any]:
        ids = self.some(self.own)
        numbers = [self.value() for _ in ids]
        rows = {sample_id: np.full(4, number) for sample_id, number in zip(ids, numbers, strict=True)}
        self.dataset.set_values("embedding", rows)
        return ["embed", ids, numbers]

    def calls(self, writes: int) -> Iterator[list[Any]]:
        """Call after call, each with what it wrote, until there were so many writes."""
        # What each writes: 10 samples with 4 values, one sample with 3, and 10 samples with one.
        counted = [(self.add, 40), (self.edit, 3), (self.edit, 3), (self.edit, 3), (self.set_own, 10),
                   (self.set_shared, 10), (self.tag, 10), (self.embed, 10)]  # fmt: skip
        done = 0
        while done < writes:
            call, count = self.chance.choice(counted)
            yield call()
            done += count


def main(who: str, writes: str) -> None:
    """Write, and say what was written."""
    writer = Writer(who)
    print("ready", flush=True)
    sys.stdin.readline()
    for call in writer.calls(int(writes)):
        print(json.dumps(call), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
