"""Entries in words: what one is, and what differs between two."""

from __future__ import annotations

import difflib
import json
from typing import Any

from meristem.library.entry import Entry
from meristem.model.words import clean, count, number


def lines_of(entry: Entry) -> list[str]:
    """All that a card says, line by line, in an order that makes two of them comparable."""
    card = entry.card
    lines = [
        f"kind: {card.kind}, {card.shelf}",
        f"type: {card.type}",
        *(f"input {name}: {type_}" for name, type_ in card.inputs),
        f"answer {card.output[0]}: {card.output[1]}",
        f"about: {card.doc}",
        f"program: {card.summary}",
        f"content: {card.content}",
        f"program hash: {card.program}",
        f"made of: {', '.join(card.parts)}",
        *(f"score: {score_words(score)}" for score in card.scores),
    ]
    for title, value in (
        ("objective", card.objective),
        ("recipe", card.recipe),
        ("provenance", card.provenance),
    ):
        lines += [f"{title}, {key}: {_short(value[key])}" for key in sorted(value)]
    lines += [f"values: {_short(each)}" for each in card.statistics[:50]]
    lines += [f"claims: {_short(each)}" for each in card.probes[:50]]
    return [clean(line, 500) for line in lines]


def score_words(score: Any) -> str:
    """A score with its interval.

    >>> score_words({"name": "accuracy", "value": 0.91, "low": 0.89, "high": 0.93, "rows": 200})
    'accuracy 0.91 (0.89 to 0.93, 200 rows)'
    """
    value, low, high = score.get("value"), score.get("low"), score.get("high")
    shown = f"{clean(score.get('name', 'score'), 60)} {_number(value)}"
    more = []
    if low is not None and high is not None:
        more.append(f"{_number(low)} to {_number(high)}")
    if isinstance(score.get("rows"), int):
        more.append(count(score["rows"], "row"))
    return f"{shown} ({', '.join(more)})" if more else shown


def _number(value: Any) -> str:
    return (
        number(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else "unknown"
    )


def _short(value: Any) -> str:
    return clean(json.dumps(value, ensure_ascii=False, sort_keys=True), 300)


def difference(left: Entry, right: Entry) -> str:
    """What differs between two entries, as lines that begin with - and +; says so where nothing does."""
    lines = list(
        difflib.unified_diff(lines_of(left), lines_of(right), left.label, right.label, n=0, lineterm="")
    )
    kept = [line for line in lines if not line.startswith("@@")]
    return "\n".join(kept) if kept else f"{left.label} and {right.label} are the same"


__all__ = ["difference", "lines_of", "score_words"]
