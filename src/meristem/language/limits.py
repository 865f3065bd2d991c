"""Limits on the room that values take: how many elements one may have, and how many a step may make."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from meristem.errors import ResourceError

MAX_ELEMENTS = 1_000_000
"""A list, map or text may have this many elements."""

MAX_IN_FLIGHT = 1 << 23
"""Elements one step may make over all rows (64 MB of numbers); beyond, the rows are run in halves."""

MAX_RESULT = 1 << 26
"""Elements a whole result may have over all rows (512 MB of numbers)."""

_bounds = threading.local()


class TooLarge(ResourceError):
    """One step would make more elements than may be in flight at once. The interpreter runs fewer rows at a time."""


def make_room(elements: int) -> None:
    """Call this before making so many elements in one step.

    Raises:
        TooLarge: More than may be in flight.
    """
    if elements > MAX_IN_FLIGHT:
        raise TooLarge(f"a step may make {MAX_IN_FLIGHT:,} elements, this one would make {elements:,}")


def most_elements() -> int:
    """How many elements a value may have here: `MAX_ELEMENTS`, or what the fuel of this run allows if that is less."""
    bound: int = getattr(_bounds, "elements", MAX_ELEMENTS)
    return bound


@contextmanager
def bounded_by(fuel: int) -> Iterator[None]:
    """Inside, no value is made that costs more than all of the fuel: it would fail, and might take much room first."""
    before = most_elements()
    _bounds.elements = min(MAX_ELEMENTS, fuel)
    try:
        yield
    finally:
        _bounds.elements = before


def note_payer(payer: Callable[[NDArray[np.int64]], NDArray[np.bool_]]) -> None:
    """Tell the columnar rule that is run next who pays: what says which of its rows cannot pay for so many elements."""
    _bounds.payer = payer


def beyond_fuel(elements: NDArray[np.int64]) -> NDArray[np.bool_]:
    """In a columnar rule: which rows [N] cannot pay for making so many elements [N]. They fail by fuel."""
    lost: NDArray[np.bool_] = _bounds.payer(elements)
    return lost


__all__ = [
    "MAX_ELEMENTS",
    "MAX_IN_FLIGHT",
    "MAX_RESULT",
    "TooLarge",
    "beyond_fuel",
    "bounded_by",
    "make_room",
    "most_elements",
    "note_payer",
]
