"""The answer that ignores its input: the baseline every model has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.language.kinds import FitContext, Fitted, ModuleKind, Settings, register
from meristem.modules._inputs import answers, class_count, need, prediction, prediction_type
from meristem.types import Type
from meristem.values import Column


@register
class Constant(ModuleKind):
    """The share of each class, or the mean."""

    name = "constant"
    mode = "supervised"
    choices = {}
    doc = "the share of each class, or the mean"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        return prediction_type(target, self.name)

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        y = answers(context.target)
        weights = np.ones(len(y)) if context.weights is None else context.weights
        if context.target is not None and context.target.type.name in ("class", "bool"):
            k = class_count(prediction_type(context.target.type, self.name))
            # One pseudo-row spread over the classes keeps a class that this part lacks from having probability 0.
            share = np.bincount(y, weights, minlength=k) + 1.0 / k
            return Fitted({"value": share / share.sum()})
        return Fitted({"value": np.array([np.average(y, weights=weights)])})

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        count = len(inputs[0])
        if output.name == "dist":
            return prediction(np.tile(arrays["value"], (count, 1)), output)
        return prediction(np.full(count, arrays["value"][0]), output)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        need(arrays, "value", "f", 1, (class_count(output) if output.name == "dist" else 1,))

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        return ["always " + ", ".join(f"{v:.4g}" for v in arrays["value"][:6].tolist())]
