"""Names that tests declare and that no other test may meet: a search tries every kind there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meristem.language import VOCABULARY
from meristem.language.kinds import KINDS, ModuleKind


@contextmanager
def declared(*kinds: ModuleKind) -> Iterator[None]:
    """Declare kinds; at the end these, and whatever else was declared within, are forgotten."""
    entries, known, names = dict(VOCABULARY._entries), dict(KINDS._kinds), set(KINDS._names)
    try:
        for kind in kinds:
            KINDS.add(kind)
        yield
    finally:
        VOCABULARY._entries.clear()
        VOCABULARY._entries.update(entries)
        KINDS._kinds, KINDS._names = known, names
