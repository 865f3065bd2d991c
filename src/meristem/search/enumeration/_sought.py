"""Looking for one list among many that could be made: none of them is kept, or even made where its length tells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meristem.search.enumeration._pools import FAIL, Ids, ListPool
from meristem.search.hashing import Keys


class Sought:
    """A pool of lists as kernels see it when only one list matters.

    What a kernel makes has the id of that list where it is equal to it (by its sum of hashes), and FAIL elsewhere.

    Args:
        pool: The pool.
        goal: The id of the list.
    """

    def __init__(self, pool: ListPool, goal: int) -> None:
        self._pool, self._goal = pool, goal
        own = np.array([goal], np.int32)
        self._length, self._sum = int(pool.lengths(own)[0]), pool.sums(own)[0]
        # What only looks lists up is as in the pool.
        self.lengths, self.starts, self.children, self.runs = (
            pool.lengths,
            pool.starts,
            pool.children,
            pool.runs,
        )

    def intern_runs(self, children: Ids, offsets: NDArray[np.int64]) -> Ids:
        """See `ListPool.intern_runs`."""
        found = self._candidates(np.diff(offsets))
        if len(found):
            items = children[offsets[found][:, None] + np.arange(self._length)].ravel()
            sums = self._pool.content_sums(items, np.arange(len(found) + 1) * self._length)
            found = self._equal(found, sums)
        return self._ids(len(offsets) - 1, found)

    def intern_views(self, lists: Ids, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Ids:
        """See `ListPool.intern_views`."""
        found = self._candidates(lengths)
        return self._ids(
            len(lists), self._equal(found, self._pool.view_sums(lists[found], starts[found], lengths[found]))
        )

    def intern_joined(self, first: Ids, second: Ids) -> Ids:
        """See `ListPool.intern_joined`."""
        found = self._candidates(self._pool.lengths(first) + self._pool.lengths(second))
        return self._ids(len(first), self._equal(found, self._pool.joined_sums(first[found], second[found])))

    def intern_appended(self, lists: Ids, items: Ids) -> Ids:
        """See `ListPool.intern_appended`."""
        found = self._candidates(self._pool.lengths(lists) + 1)
        return self._ids(len(lists), self._equal(found, self._pool.appended_sums(lists[found], items[found])))

    def intern_prepended(self, items: Ids, lists: Ids) -> Ids:
        """See `ListPool.intern_prepended`."""
        found = self._candidates(self._pool.lengths(lists) + 1)
        return self._ids(
            len(lists), self._equal(found, self._pool.prepended_sums(items[found], lists[found]))
        )

    def _candidates(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.flatnonzero(lengths == self._length)

    def _equal(self, places: NDArray[np.int64], sums: Keys) -> NDArray[np.int64]:
        equal: NDArray[np.int64] = places[sums == self._sum]
        return equal

    def _ids(self, count: int, places: NDArray[np.int64]) -> Ids:
        ids = np.full(count, FAIL, np.int32)
        ids[places] = self._goal
        return ids


__all__ = ["Sought"]
