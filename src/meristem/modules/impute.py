"""Fill missing numbers with the median, and say where they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError
from meristem.language.kinds import FitContext, Fitted, ModuleKind, OneOf, Settings, register
from meristem.modules._inputs import check_numeric, field_types, matrix, need, width_of
from meristem.types import Type, vector_of
from meristem.values import Column, Dense


@register
class Impute(ModuleKind):
    """Numbers of a row as a vector: medians where one is missing, and a 0/1 column for each that ever was."""

    name = "impute"
    mode = "unsupervised"
    choices = {"indicators": OneOf(True, (True, False))}
    doc = "numbers as a vector, medians where missing"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        check_numeric(inputs, self.name)
        return vector_of(None)

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        x = matrix(inputs)
        missing = np.isnan(x)
        share = missing.mean(axis=0) if len(x) else np.zeros(x.shape[1])
        medians = np.zeros(x.shape[1])
        for j in range(x.shape[1]):
            here = x[:, j] if share[j] == 0 else x[~missing[:, j], j]
            medians[j] = np.median(here) if len(here) else 0.0
        flagged = (
            np.flatnonzero((share > 0) & (share < 1)) if settings["indicators"] else np.zeros(0, np.int64)
        )
        return Fitted({"medians": medians, "flagged": flagged.astype(np.int32)})

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        x = matrix(inputs)
        missing = np.isnan(x)
        flags = missing[:, arrays["flagged"]].astype(np.float64)
        if missing.any():
            x = np.where(missing, arrays["medians"], x)
        return Dense(output, np.concatenate([x, flags], axis=1) if flags.shape[1] else x)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        medians = need(arrays, "medians", "f", 1, (width_of(inputs),))
        flagged = need(arrays, "flagged", "i", 1)
        if flagged.size and (flagged.min() < 0 or flagged.max() >= len(medians)):
            raise FileFormatError("the flags of impute point outside of its columns")

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        names = [name for name, _ in field_types(inputs)]
        shown = [f"{n} {m:.5g}" for n, m in zip(names, arrays["medians"].tolist(), strict=False)]
        more = f", ... {len(shown) - 4} more" if len(shown) > 4 else ""
        return ["medians: " + ", ".join(shown[:4]) + more] if shown else ["no numbers"]
