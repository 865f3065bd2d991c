"""A table model for people: as Python, and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meristem.language.terms import Term
from meristem.types import format_type
from meristem.values import Column, Dense, Dists, Options, Rows, Scalars, Texts

if TYPE_CHECKING:
    from meristem.model.model import Model

_MOST_NODES = 60  # values are worked out for pictures up to this size


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
    return picture(term, title=model.schema.target.name, details=details, values=values)


def value_text(column: Column, row: int = 0, limit: int = 3) -> str:
    """One value of a column in a few characters."""
    if isinstance(column, Dists):
        p = column.probabilities[row]
        best = int(np.argmax(p))
        return f"{column.support[best]} {p[best]:.0%}"
    if isinstance(column, Dense):
        data = column.data[row].ravel()
        shown = ", ".join(_number(v) for v in data[:limit].tolist())
        return f"[{shown}{', ...' if data.size > limit else ''}]"
    if isinstance(column, Rows):
        parts = [f"{n} {value_text(c, row)}" for n, c in list(column.fields.items())[:limit]]
        return ", ".join(parts) + (", ..." if len(column.fields) > limit else "")
    if isinstance(column, Options):
        return value_text(column.values, int(column.positions[row])) if column.present[row] else "missing"
    value: Any = column[row]
    if isinstance(column, Scalars) and isinstance(value, float):
        return _number(value)
    text = str(value) if isinstance(column, Scalars | Texts) else format_type(column.type, 3)
    return text if len(text) <= 24 else text[:23] + "…"


def _number(value: float) -> str:
    return f"{value:.3g}"
