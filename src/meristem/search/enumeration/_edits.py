"""Texts that are known texts but for a few words: `goal = replace(?, old, new)`, where the examples say old and new.

Of a program that gives some answers and nearly gives the others, the differences are read off: what stands between
the common beginning and the common end of what it gives and of what is wanted. One replacement that makes all such
answers without spoiling another is a program; what surrounds a difference is taken in as far as that needs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from meristem.language.terms import Call, Literal, Term
from meristem.search.enumeration._blocks import Block
from meristem.search.enumeration._cover import LONELY
from meristem.search.enumeration._pools import FAIL, Ids, TextPool
from meristem.search.programs.cost import literal_cost
from meristem.search.programs.prior import cost_of
from meristem.types import TEXT

Edit = tuple[str, str]

_MOST_EDITS = 3
_MOST_AROUND = 12  # characters on each side of a difference
_MOST_LENGTH = 60  # of what is replaced
_PROGRAMS = 30  # of a block, those that are right most often


def nearly(block: Block, ids: Ids) -> list[int]:
    """The programs of a block that are right on some examples and give something on all, the best first."""
    right = (block.ids == ids[:, None]).sum(axis=0)
    some = np.flatnonzero((right > 0) & (right < len(ids)) & (block.ids != FAIL).all(axis=0))
    chosen: list[int] = some[np.argsort(-right[some], kind="stable")][:_PROGRAMS].tolist()
    return chosen


def edited(block: Block, index: int, ids: Ids, pool: TextPool) -> tuple[Term, int, int] | None:
    """A program with replacements around it that makes the texts `ids` [E]; None if none is seen.

    Returns:
        Its term, its cost, and the fewest examples that a replacement changes.
    """
    given = [pool.strings[k] for k in block.ids[:, index].tolist()]
    edits = edits_between(given, [pool.strings[k] for k in ids.tolist()])
    if edits is None:
        return None
    term, cost, support = block.term(index), float(block.cost), len(given)
    for old, new in edits:
        support = min(support, sum(old in text for text in given))
        given = [text.replace(old, new) for text in given]
        term = Call("replace", (term, Literal(old, TEXT), Literal(new, TEXT)))
        cost += (cost_of("replace") or 0) + literal_cost(old) + literal_cost(new)
    return term, int(cost) + (LONELY if support < 2 else 0), support


def edits_between(given: Sequence[str], wanted: Sequence[str]) -> list[Edit] | None:
    """Replacements that, one after the other, make all wanted texts of those given; None if a few do not.

    Of whole words, unless parts of words take fewer.
    """
    words, parts = _edits(given, wanted, True), _edits(given, wanted, False)
    if words is None or parts is None:
        return parts if words is None else words
    return words if len(words) <= len(parts) else parts


def _edits(given: Sequence[str], wanted: Sequence[str], words: bool) -> list[Edit] | None:
    current = list(given)
    edits: list[Edit] = []
    while current != list(wanted):
        if len(edits) == _MOST_EDITS:
            return None
        first = next(k for k, (a, b) in enumerate(zip(current, wanted, strict=True)) if a != b)
        edit = _edit(current, wanted, first, words)
        if edit is None:
            return None
        edits.append(edit)
        current = [text.replace(*edit) for text in current]
    return edits


def _edit(current: Sequence[str], wanted: Sequence[str], first: int, words: bool) -> Edit | None:
    """The shortest replacement that makes one text right, and of others only such as were wrong."""
    text, goal = current[first], wanted[first]
    start = _common(text, goal)
    end = _common(text[start:][::-1], goal[start:][::-1])
    stop, goal_stop = len(text) - end, len(goal) - end
    if stop - start > _MOST_LENGTH:
        return None
    reach = range(_MOST_AROUND + 1)
    around = sorted(((a, b) for a in reach for b in reach if a <= start and b <= end), key=sum)
    for before, after in around:
        if words and (_splits_word(text, start - before) or _splits_word(text, stop + after)):
            continue
        old, new = text[start - before : stop + after], goal[start - before : goal_stop + after]
        if old and _only_mends(current, wanted, old, new, first):
            return old, new
    return None


def _splits_word(text: str, place: int) -> bool:
    return 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()


def _common(one: str, other: str) -> int:
    """How long a beginning two texts share."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((k for k, (a, b) in pairs if a != b), min(len(one), len(other)))


def _only_mends(current: Sequence[str], wanted: Sequence[str], old: str, new: str, first: int) -> bool:
    if current[first].replace(old, new) != wanted[first]:
        return False
    return all(old not in a or a.replace(old, new) == b for a, b in zip(current, wanted, strict=True))


__all__ = ["edited", "edits_between", "nearly"]
