"""Categories as 0/1 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, TypeMismatch
from meristem.language.kinds import FitContext, Fitted, Integer, ModuleKind, Settings, register
from meristem.modules._inputs import bare, need
from meristem.types import Type, vector_of
from meristem.values import Column, Dense, Rows, codes


@register
class OneHot(ModuleKind):
    """A 0/1 column for each label seen often enough, for rarer ones together, and for missing where that occurred."""

    name = "one_hot"
    mode = "unsupervised"
    choices = {
        "labels": Integer(40, 2, 1000, log=True, tuned=False),
        "least": Integer(2, 1, 200, log=True, tuned=False),
    }
    doc = "categories as 0/1 columns"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        if len(inputs) != 1 or inputs[0].name != "row":
            raise TypeMismatch("one_hot takes one row of categories")
        for name, type_ in inputs[0].fields.items():
            if bare(type_).name not in ("class", "bool"):
                raise TypeMismatch(f"one_hot takes categories, but {name!r} is {type_}")
        return vector_of(None)

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        # For each field a table from code + 1 (0 stands for missing) to a column, -1 for none.
        (rows,) = inputs
        assert isinstance(rows, Rows)
        tables: list[NDArray[np.int32]] = []
        width = 0
        for column in rows.fields.values():
            labels = _label_count(column.type)
            counts = np.bincount(codes(column) + 1, minlength=labels + 1)
            often = np.argsort(-counts[1:], kind="stable")[: int(settings["labels"])]
            often = np.sort(often[counts[1:][often] >= int(settings["least"])])
            table = np.full(labels + 1, -1, np.int32)
            table[often + 1] = width + np.arange(len(often))
            width += len(often)
            rare = np.setdiff1d(np.flatnonzero(counts[1:] > 0), often)
            if len(rare):
                table[rare + 1] = width
                width += 1
            if counts[0]:
                table[0] = width
                width += 1
            tables.append(table)
        joined = np.concatenate(tables) if tables else np.zeros(0, np.int32)
        return Fitted({"table": joined, "width": np.array([width], np.int32)})

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        (rows,) = inputs
        assert isinstance(rows, Rows)
        out = np.zeros((len(rows), int(arrays["width"][0])))
        start = 0
        every = np.arange(len(rows))
        for column in rows.fields.values():
            labels = _label_count(column.type)
            places = arrays["table"][start + codes(column) + 1]
            start += labels + 1
            known = places >= 0
            if known.all():
                out[every, places] = 1.0
            else:
                out[every[known], places[known]] = 1.0
        return Dense(output, out)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        total = sum(_label_count(t) + 1 for t in inputs[0].args)
        table = need(arrays, "table", "i", 1, (total,))
        width = need(arrays, "width", "i", 1, (1,))
        if not 0 <= int(width[0]) <= total or (
            table.size and (table.min() < -1 or table.max() >= int(width[0]))
        ):
            raise FileFormatError("the columns of one_hot are outside of its width")

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        fields, width = len(inputs[0].args), int(arrays["width"][0])
        columns = f"{width} column{'' if width == 1 else 's'}"
        return [f"{fields} categor{'y' if fields == 1 else 'ies'} as {columns}"]


def _label_count(type_: Type) -> int:
    inner = bare(type_)
    return 2 if inner.name == "bool" else len(inner.params)
