"""A table model for people: as Python, and as a picture."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from meristem.language.terms import Term
from meristem.model.words import CHIP, clean, number, percent
from meristem.types import format_type
from meristem.values import Column, Dense, Dists, Options, Rows, Scalars, Texts

if TYPE_CHECKING:
    from meristem.model.model import Model

_MOST_NODES = 60  # values are worked out for pictures up to this size
_MOST_ENTRIES = 8  # of a value that are looked at


def table_source(model: Model) -> str:
    """The program as a Python function, with what its modules learned as comments."""
    from meristem.language.python_form import to_python

    target = model.schema.target
    cards: dict[Term, list[str]] = dict(model.program.modules())
    head = [f"# Predicts {target.name!r} from {len(model.schema.features)} columns."]
    what = "probabilities of " + ", ".join(map(repr, target.values[:8])) if target.values else "a number"
    head.append(f"# Gives {what}{', ...' if len(target.values) > 8 else ''}.")
    return "\n".join(head) + "\n" + to_python(model.program.term, name="predict", inputs=["row"], notes=cards)


def table_picture(model: Model) -> str:
    """The program as SVG, with the values of a typical row along its edges."""
    from meristem.model.picture import picture

    term = model.program.term
    details: dict[Term, list[str]] = {node: lines[:2] for node, lines in model.program.modules()}
    values: dict[Term, str] = {}
    if model.example is not None and term.size <= _MOST_NODES:
        memo: dict[Term, Column] = {}
        model.program.prepared.run({"row": model.example}, model.program.fit, rows=1, memo=memo)
        values = {node: value_text(column) for node, column in memo.items() if len(column) == 1}
    return picture(term, title=f"predicts {model.schema.target.name}", details=details, values=values)


def value_text(column: Column, row: int = 0, room: int = CHIP) -> str:
    """One value of a column in at most `room` characters.

    What does not fit is left out in whole entries, so that a bracket that opens also closes.
    """
    if isinstance(column, Dists):
        p = column.probabilities[row]
        best = int(np.argmax(p))
        label, share = str(column.support[best]), percent(float(p[best]))
        # A bare number in front of the share would be read as a number.
        prefix, gap = ("", " ") if label[:1].isalpha() else ("class ", ": ")
        return f"{prefix}{clean(label, max(room - len(prefix + gap + share), 1))}{gap}{share}"
    if isinstance(column, Dense):
        data = column.data[row].ravel()
        return _listed([_number(v) for v in data[:_MOST_ENTRIES].tolist()], data.size, "[]", room)
    if isinstance(column, Rows):
        fields = list(column.fields.items())
        texts = [f"{clean(n, room)} {value_text(c, row, room)}" for n, c in fields[:_MOST_ENTRIES]]
        return _listed(texts, len(fields), "", room)
    if isinstance(column, Options):
        if not column.present[row]:
            return "missing"
        return value_text(column.values, int(column.positions[row]), room)
    value: Any = column[row]
    if isinstance(column, Scalars) and isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")[:room]
    return clean(value if isinstance(column, Scalars | Texts) else format_type(column.type, 3), room)


def _listed(texts: list[str], count: int, brackets: str, room: int) -> str:
    """As many of the first texts as fit, in brackets; the first one is cut where even it does not fit."""
    opened, closed = brackets[:1], brackets[1:]
    for kept in range(len(texts), 0, -1):
        text = ", ".join(texts[:kept]) + (", …" if kept < count else "")
        if len(opened + text + closed) <= room:
            return opened + text + closed
    return opened + clean(texts[0], room - len(brackets)) + closed if texts else brackets


def _number(value: float) -> str:
    """A number without the commas that group thousands: in a list they would look like the list's own."""
    return number(value).replace(",", "")
