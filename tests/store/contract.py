"""What anything that keeps values under keys in the database promises. `test_contract` holds each such thing to it.

A subclass says what is kept: how keys and values are made, put and read. Everything else is the same for all.
"""

import multiprocessing
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import saccade as sc
from saccade.dataset.store import connection

MANY = 5_000


class StoreContract(ABC):
    """Tests for a store whose subclass implements the five methods; keys are unique and ascending.

    Attributes:
        many: how many values are a lot for this store.
    """

    many = MANY

    @abstractmethod
    def keys(self, dataset: sc.Dataset, count: int) -> list[Any]:
        """Give new keys, ascending."""

    @abstractmethod
    def values(self, keys: Sequence[Any]) -> list[Any]:
        """Give a value for each key, different ones; the same each time for a key."""

    @abstractmethod
    def large(self) -> Any:
        """Give a value as large as this store has to take."""

    @abstractmethod
    def put(self, dataset: sc.Dataset, keys: Sequence[Any], values: Sequence[Any]) -> None:
        """Store values under new keys."""

    @abstractmethod
    def read(self, dataset: sc.Dataset, keys: Sequence[Any]) -> list[Any]:
        """Read the values of keys, in their order; None for one that is not there."""

    @abstractmethod
    def listed(self, dataset: sc.Dataset) -> list[Any]:
        """Give all keys, in the order in which the store gives them."""

    # --- the promises -------------------------------------------------------------------------------------------------

    def test_what_was_put_is_read_in_the_order_asked(self, dataset):
        keys = self.keys(dataset, 7)
        for start, end in ((0, 0), (0, 1), (1, 7)):
            self.put(dataset, keys[start:end], self.values(keys[start:end]))
            assert self.read(dataset, keys[start:end]) == self.values(keys[start:end])
        assert self.read(dataset, keys[::-1]) == self.values(keys)[::-1]
        assert self.read(dataset, keys[1::2]) == self.values(keys)[1::2]

    def test_many_are_put_and_read(self, dataset):
        keys = self.keys(dataset, self.many)
        self.put(dataset, keys, self.values(keys))
        assert self.read(dataset, keys) == self.values(keys)
        assert self.listed(dataset) == keys

    def test_a_large_one_is_put_and_read(self, dataset):
        keys = self.keys(dataset, 1)
        self.put(dataset, keys, [self.large()])
        assert self.read(dataset, keys) == [self.large()]

    def test_putting_once_more_what_is_there_changes_nothing(self, dataset):
        """As after a broken connection, when nobody knows what got through."""
        keys = self.keys(dataset, 9)
        self.put(dataset, keys[2:5], self.values(keys[2:5]))
        self.put(dataset, keys, self.values(keys))
        self.put(dataset, keys, self.values(keys))
        assert self.read(dataset, keys) == self.values(keys)
        assert self.listed(dataset) == keys

    def test_keys_are_listed_ascending_whatever_the_order_in_which_they_came(self, dataset):
        keys = self.keys(dataset, 12)
        for chunk in (keys[8:], keys[:4], keys[4:8][::-1]):
            self.put(dataset, chunk, self.values(chunk))
        assert self.listed(dataset) == keys

    def test_what_is_not_there_is_none_beside_what_is(self, dataset):
        here, gone, also = self.keys(dataset, 3)
        self.put(dataset, [here, also], self.values([here, also]))
        assert self.read(dataset, [here, gone, also]) == [*self.values([here]), None, *self.values([also])]
        assert self.read(dataset, [gone]) == [None]

    def test_datasets_have_nothing_in_common(self, dataset):
        other = sc.Dataset("other")
        keys = self.keys(dataset, 3)
        self.put(dataset, keys, self.values(keys))
        assert self.listed(other) == []
        assert self.read(other, keys) == [None] * 3

    def test_several_threads_put_at_once_and_all_of_it_is_there(self, dataset):
        keys = self.keys(dataset, 80)
        parts = [keys[start::8] for start in range(8)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda part: self.put(dataset, part, self.values(part)), parts))
        assert self.read(dataset, keys) == self.values(keys)
        assert self.listed(dataset) == keys

    def test_it_works_on_a_new_connection(self, dataset):
        before, after = self.keys(dataset, 2)
        self.put(dataset, [before], self.values([before]))
        connection.close()
        self.put(dataset, [after], self.values([after]))
        assert self.read(dataset, [before, after]) == self.values([before, after])

    def test_a_forked_child_reads_and_puts_beside_its_parent(self, dataset):
        keys = self.keys(dataset, 3)
        self.put(dataset, keys[:1], self.values(keys[:1]))

        def work() -> None:
            assert self.read(dataset, keys) == [*self.values(keys[:1]), None, None]
            self.put(dataset, keys[1:2], self.values(keys[1:2]))
            connection.close()

        child = multiprocessing.get_context("fork").Process(target=work)
        child.start()
        child.join(60)
        assert child.exitcode == 0
        self.put(dataset, keys[2:], self.values(keys[2:]))
        assert self.read(dataset, keys) == self.values(keys)
