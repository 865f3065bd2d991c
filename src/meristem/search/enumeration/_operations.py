"""Operations: what a term of a bank may be made with, as functions from ids to ids.

A few that run very often have a kernel that works on ids directly; all others run through the interpreter, once for
each combination of arguments that was not met before. So a primitive needs nothing here to be searched with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import ResourceError
from meristem.language.interpreter import Prepared, prepare
from meristem.language.terms import Call, Literal, Term, Variable
from meristem.search.enumeration._pools import FAIL, MAX_INT, Ids, ListPool, Pools
from meristem.search.enumeration._sought import Sought
from meristem.search.hashing import HashTable, mix
from meristem.types import TEXT, Type

FUEL = 4_000
"""What one value may cost to make. Values beyond are of no use in a search, and take the time of useful ones."""

_UNKNOWN = np.int32(-(2**31) + 1)

_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)


@dataclass(eq=False)
class Operation:
    """A primitive or subroutine at ground types.

    Args:
        name: Of the entry.
        version: Of the entry.
        arguments: The types of its arguments.
        result: The type of its result.
        cost: What a use costs, at least 1.
        commutative: Whether the order of its two arguments does not matter.
        kernel: A function from ids to ids, for all or scalar types.
        bound: Arguments that are fixed: (position, literal). They are not among `arguments`.
        list_kernel: A function of a pool and ids, and the type whose pool that is.
    """

    name: str
    version: int
    arguments: tuple[Type, ...]
    result: Type
    cost: int
    commutative: bool = False
    kernel: Callable[..., Any] | None = None
    bound: tuple[tuple[int, Any], ...] = ()
    list_kernel: tuple[Callable[..., Any], Type] | None = None
    _known: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    _memo: HashTable = field(default_factory=HashTable)
    _results: Ids = field(default_factory=lambda: np.empty(1024, np.int32))
    _prepared: Prepared | None = None

    def term(self, parts: tuple[Term, ...]) -> Term:
        """The call with these arguments."""
        arguments = list(parts)
        for position, value in self.bound:
            arguments.insert(position, Literal(value, TEXT))
        return Call(self.name, tuple(arguments), self.version)

    def apply(self, pools: Pools, *arguments: Ids) -> Ids:
        """The results [M] for arguments [M] each."""
        bad = arguments[0] == FAIL
        for ids in arguments[1:]:
            bad = bad | (ids == FAIL)
        if self.kernel is not None:
            with np.errstate(all="ignore"):
                found = self.kernel(*(ids.astype(np.int64) for ids in arguments))
            if found.dtype == np.int64:
                found = np.where((found < MAX_INT) & (found > -MAX_INT), found, FAIL)
            found = found.astype(np.int32)
            found[bad] = FAIL
            return found  # type: ignore[no-any-return]
        if bad.any():
            results = np.full(len(bad), FAIL, np.int32)
            good = np.flatnonzero(~bad)
            if len(good):
                results[good] = self.apply(pools, *(ids[good] for ids in arguments))
            return results
        if len(arguments) == 1 and self.arguments[0].name in ("list", "text", "pair", "option"):
            return self._by_id(pools, arguments[0])
        if self.list_kernel is not None:
            return self._list(pools, arguments)
        keys = np.zeros(len(bad), np.uint64)
        for ids, odd in zip(arguments, _ODD, strict=False):
            keys = mix(keys + ids.astype(np.uint64) * odd)
        numbers, new = self._memo.add(keys)
        if len(new):
            while len(self._results) < self._memo.count:
                self._results = np.concatenate([self._results, self._results])
            made = self._run(pools, [ids[new] for ids in arguments])
            self._results[self._memo.count - len(new) : self._memo.count] = made
        return self._results[numbers]

    def gives(self, pools: Pools, goal: int, *arguments: Ids) -> NDArray[np.bool_]:
        """Where the results for arguments [M] each are one value; cheaper than `apply`, since no other is kept."""
        right: NDArray[np.bool_]
        if self.list_kernel is None or self.list_kernel[1] != self.result or self.result.name != "list":
            right = self.apply(pools, *arguments) == goal
            return right
        kernel, type = self.list_kernel
        pool = pools[type]
        assert isinstance(pool, ListPool)
        good = arguments[0] != FAIL
        for ids in arguments[1:]:
            good &= ids != FAIL
        if good.all():
            right = kernel(Sought(pool, goal), *arguments) == goal
            return right
        places = np.flatnonzero(good)
        right = np.zeros(len(good), np.bool_)
        right[places] = kernel(Sought(pool, goal), *(ids[places] for ids in arguments)) == goal
        return right

    def _by_id(self, pools: Pools, ids: Ids) -> Ids:
        """Of one argument whose ids count from 0: a table from id to id, filled as they come up."""
        size = int(ids.max()) + 1 if len(ids) else 0
        if size > len(self._known):
            grown = np.full(max(1024, 2 * size), _UNKNOWN, np.int32)
            grown[: len(self._known)] = self._known
            self._known = grown
        results = self._known[ids]
        unknown = results == _UNKNOWN
        if unknown.any():
            new = np.unique(ids[unknown])
            made = self._list(pools, (new,)) if self.list_kernel is not None else self._run(pools, [new])
            self._known[new] = made
            results = self._known[ids]
        return results

    def _list(self, pools: Pools, arguments: tuple[Ids, ...]) -> Ids:
        assert self.list_kernel is not None
        kernel, type = self.list_kernel
        found = kernel(pools[type], *arguments)
        if found.dtype == np.int64:
            found = np.where((found < MAX_INT) & (found > -MAX_INT), found, FAIL)
        return found.astype(np.int32, copy=False)  # type: ignore[no-any-return]

    def _run(self, pools: Pools, arguments: list[Ids]) -> Ids:
        names = [f"x{i}" for i in range(len(arguments))]
        if self._prepared is None:
            term = self.term(tuple(Variable(n) for n in names))
            self._prepared = prepare(term, dict(zip(names, self.arguments, strict=True)), result=self.result)
        results = np.full(len(arguments[0]), FAIL, np.int32)
        for start in range(0, len(results), 1 << 15):
            part = slice(start, start + (1 << 15))
            columns = {
                name: pools[type].column(ids[part])
                for name, type, ids in zip(names, self.arguments, arguments, strict=True)
            }
            try:
                result = self._prepared.run(columns, fuel=FUEL)
            except ResourceError:
                continue
            good = np.flatnonzero(result.failures == 0)
            if len(good) == len(result.failures):
                results[part] = pools[self.result].intern(result.column)
            elif len(good):
                results[start + good] = pools[self.result].intern(result.column.take(good))
        return results


def _divide(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(b == 0, FAIL, a // np.where(b == 0, 1, b))


def _modulo(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(b == 0, FAIL, a % np.where(b == 0, 1, b))


INT_KERNELS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "negate": lambda a: -a,
    "abs": np.abs,
    "increment": lambda a: a + 1,
    "decrement": lambda a: a - 1,
    "square": lambda a: a * a,
    "quotient": _divide,
    "remainder": _modulo,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "is_even": lambda a: a % 2 == 0,
    "is_odd": lambda a: a % 2 == 1,
}
"""Kernels for whole numbers and, where they make sense, bools: the ids are the values."""

ID_KERNELS: dict[str, Callable[..., Any]] = {"equal": lambda a, b: a == b, "not_equal": lambda a, b: a != b}
"""Kernels for values of any type: equal values have equal ids."""

BOOL_KERNELS: dict[str, Callable[..., Any]] = {
    "and": lambda a, b: (a != 0) & (b != 0),
    "or": lambda a, b: (a != 0) | (b != 0),
    "not": lambda a: a == 0,
    "xor": lambda a, b: a != b,
}


def kernel_of(name: str, arguments: tuple[Type, ...]) -> Callable[..., Any] | None:
    """The kernel of an entry at these argument types, if it has one."""
    names = {type.name for type in arguments}
    if names == {"int"} and name in INT_KERNELS:
        return INT_KERNELS[name]
    if names == {"bool"} and name in BOOL_KERNELS:
        return BOOL_KERNELS[name]
    if name in ID_KERNELS:
        return ID_KERNELS[name]
    return None


__all__ = ["Operation", "kernel_of"]
