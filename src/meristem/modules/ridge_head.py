"""Classes from features by ridge regression in closed form: what few labels on frozen features want."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import FitContext, Fitted, ModuleKind, Real, Settings, register
from meristem.modules._inputs import answers, class_count, matrix, need, prediction, prediction_type, softmax
from meristem.types import Type
from meristem.values import Column

RealArray = NDArray[np.float64]

_PATH = 10.0 ** np.linspace(-6, 2, 17)  # penalties, as shares of the mean squared length of a centred row
_SHARPNESS = 2.0 ** np.arange(0, 7)  # by which scores are multiplied to make probabilities


@register
class RidgeHead(ModuleKind):
    """Ridge regression to one column a class, 1 for its own; the likeliest is the highest.

    The penalty and how sure the probabilities are come from exact leave-one-out answers: with the smoother H of the
    training rows the answer left out is (H y - h y) / (1 - h), h being the diagonal of H.
    """

    name = "ridge_head"
    mode = "supervised"
    choices = {"l2": Real(0.0, 0.0, 1000.0, log=True, tuned=False)}
    doc = "classes by ridge regression"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        output = features_to_classes(inputs, target, self.name)
        return output

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        x, y = matrix(inputs), answers(context.target)
        assert context.target is not None
        k = class_count(prediction_type(context.target.type, self.name))
        weights = np.ones(len(y)) if context.weights is None else context.weights
        share = weights / weights.sum()
        wanted = np.eye(k)[y]
        x_mean, y_mean = share @ x, share @ wanted
        root = np.sqrt(share)[:, None]
        a, b = root * (x - x_mean), root * (wanted - y_mean)
        scale = float((a**2).sum()) / max(len(y), 1) or 1.0
        stated = float(settings["l2"])
        path = np.array([stated]) if stated > 0 else _PATH
        best: tuple[float, float, float, RealArray] | None = None
        left = _eigen(a)
        for l2 in path:
            w, scores = _ridge(a, b, left, float(l2) * scale * len(y))
            scores = scores / np.maximum(root, 1e-12) + y_mean
            for sharp in _SHARPNESS:
                picked = softmax(sharp * scores)[np.arange(len(y)), y]
                loss = -float(share @ np.log(np.maximum(picked, 1e-12)))
                if best is None or loss < best[0]:
                    best = (loss, float(l2), float(sharp), w)
        assert best is not None
        _, l2, sharp, w = best
        arrays = {"weights": sharp * w, "bias": sharp * (y_mean - x_mean @ w)}
        return Fitted(arrays, {"l2": l2})

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        return prediction(softmax(matrix(inputs) @ arrays["weights"] + arrays["bias"]), output)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        k = class_count(output)
        need(arrays, "weights", "f", 2, (None, k))
        need(arrays, "bias", "f", 1, (k,))

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        d, k = arrays["weights"].shape
        return [f"{d} weights for each of {k} classes"]


def features_to_classes(inputs: Sequence[Type], target: Type | None, kind: str) -> Type:
    """The distribution that a head over one vector gives."""
    if len(inputs) != 1 or inputs[0].name != "vector":
        raise TypeMismatch(f"{kind} takes one vector, got {', '.join(map(str, inputs)) or 'nothing'}")
    output = prediction_type(target, kind)
    if output.name != "dist":
        raise TypeMismatch(f"{kind} predicts classes, not {target}")
    return output


def _eigen(a: RealArray) -> tuple[RealArray, RealArray, RealArray]:
    """Left vectors U [N, R], squared singular values [R] and right vectors V [D, R] of `a` [N, D]."""
    tall = a.shape[0] >= a.shape[1]
    values, vectors = np.linalg.eigh(a.T @ a if tall else a @ a.T)
    keep = values > 1e-12 * max(float(values[-1]), 1e-300) if len(values) else np.zeros(0, bool)
    s2, vectors = values[keep], vectors[:, keep]
    if tall:
        return (a @ vectors) / np.sqrt(s2), s2, vectors
    return vectors, s2, (a.T @ vectors) / np.sqrt(s2)


def _ridge(
    a: RealArray, b: RealArray, left: tuple[RealArray, RealArray, RealArray], l2: float
) -> tuple[RealArray, RealArray]:
    """Weights [D, K], and for each row the answer [N, K] of a fit that did not see it."""
    u, s2, v = left
    projected = u.T @ b
    h = s2 / (s2 + l2)
    fitted = u @ (h[:, None] * projected)
    diagonal = (u**2 @ h)[:, None] + 1.0 / len(a)  # the mean takes its part too
    alone = (fitted - diagonal * b) / np.maximum(1.0 - diagonal, 1e-6)
    weights: RealArray = v @ ((np.sqrt(s2) / (s2 + l2))[:, None] * projected)
    return weights, alone
