"""Bring each entry of a vector to mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import FitContext, Fitted, ModuleKind, Real, Settings, register
from meristem.modules._inputs import matrix, need
from meristem.types import Type
from meristem.values import Column, Dense


@register
class Standardize(ModuleKind):
    """(x - mean) / deviation for each entry, cut at `clip` deviations so that one wild value cannot rule a model."""

    name = "standardize"
    mode = "unsupervised"
    choices = {"clip": Real(8.0, 1.0, 1000.0, log=True, tuned=False)}
    doc = "each entry to mean 0 and deviation 1"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        if len(inputs) != 1 or inputs[0].name != "vector":
            raise TypeMismatch(
                f"standardize takes one vector, got {', '.join(map(str, inputs)) or 'nothing'}"
            )
        return inputs[0]

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        x = matrix(inputs)
        mean = x.mean(axis=0) if len(x) else np.zeros(x.shape[1])
        deviation = x.std(axis=0) if len(x) else np.ones(x.shape[1])
        # Entries that are constant up to rounding keep their scale: dividing by 1e-17 would make noise of them.
        constant = deviation <= 1e-12 * np.maximum(np.abs(mean), 1.0)
        return Fitted({"mean": mean, "scale": np.where(constant, 1.0, deviation)})

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        x = (matrix(inputs) - arrays["mean"]) / arrays["scale"]
        clip = float(settings["clip"])
        return Dense(output, np.minimum(np.maximum(x, -clip), clip))

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        mean = need(arrays, "mean", "f", 1)
        need(arrays, "scale", "f", 1, (len(mean),))

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        return [f"{len(arrays['mean'])} entries"]
