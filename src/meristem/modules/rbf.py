"""Features of a radial kernel: how near a row is to chosen rows of the training data.

The Nystroem map (Williams and Seeger 2001): with landmarks L and the kernel k(x, y) = exp(-gamma |x - y|^2), a row x
becomes k(x, L) k(L, L)^(-1/2). A linear model on these is a kernel machine; with all rows as landmarks it is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import FitContext, Fitted, Integer, ModuleKind, Real, Settings, register
from meristem.modules._inputs import matrix, need
from meristem.types import Type, vector_of
from meristem.values import Column, Dense


@register
class Rbf(ModuleKind):
    """Nearness to landmark rows. `width` scales the kernel: 1 is the median distance between rows."""

    name = "rbf"
    mode = "unsupervised"
    choices = {"landmarks": Integer(200, 20, 1000, log=True), "width": Real(1.0, 0.1, 10.0, log=True)}
    doc = "nearness to landmark rows"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        if len(inputs) != 1 or inputs[0].name != "vector":
            raise TypeMismatch(f"rbf takes one vector, got {', '.join(map(str, inputs)) or 'nothing'}")
        return vector_of(None)

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        x = matrix(inputs)
        count = min(int(settings["landmarks"]), len(x))
        landmarks = x[np.sort(context.rng.permutation(len(x))[:count])].astype(np.float32).astype(np.float64)
        distances = _squared_distances(landmarks, landmarks)
        off = distances[~np.eye(count, dtype=bool)]
        middle = float(np.median(off)) if off.size else 1.0
        gamma = 1.0 / (max(middle, 1e-12) * float(settings["width"]) ** 2)
        values, vectors = np.linalg.eigh(np.exp(-gamma * distances))
        keep = values > 1e-6 * values[-1]
        root = vectors[:, keep] / np.sqrt(values[keep])
        return Fitted(
            {
                "landmarks": landmarks.astype(np.float32),
                "root": root.astype(np.float32),
                "gamma": np.array([gamma]),
            }
        )

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        landmarks, root = arrays["landmarks"].astype(np.float64), arrays["root"].astype(np.float64)
        x = matrix(inputs)
        out = np.empty((len(x), root.shape[1]))
        for start in range(0, len(x), 4096):  # in parts, so that memory stays small on many rows
            part = x[start : start + 4096]
            out[start : start + 4096] = (
                np.exp(-arrays["gamma"][0] * _squared_distances(part, landmarks)) @ root
            )
        return Dense(output, out)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        landmarks = need(arrays, "landmarks", "f", 2)
        need(arrays, "root", "f", 2, (len(landmarks), None))
        need(arrays, "gamma", "f", 1, (1,))

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        return [f"{len(arrays['landmarks'])} landmarks"]


def _squared_distances(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """|x_i - y_j|^2 as [len(x), len(y)]."""
    found: NDArray[np.float64] = (x**2).sum(axis=1)[:, None] - 2.0 * (x @ y.T) + (y**2).sum(axis=1)
    return np.maximum(found, 0.0)
