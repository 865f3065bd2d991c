"""A weighted mean of several predictions, and the temperature that makes probabilities honest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, TypeMismatch
from meristem.language.kinds import FitContext, Fitted, Integer, ModuleKind, Settings, register
from meristem.modules._inputs import answers, need, prediction
from meristem.types import Type
from meristem.values import Column, Dists, reals

RealArray = NDArray[np.float64]
Loss = Callable[[RealArray], float]


def values_of(column: Column) -> RealArray:
    """A prediction as an array: probabilities [N, K] or numbers [N]."""
    return column.probabilities if isinstance(column, Dists) else reals(column)


@register
class Blend(ModuleKind):
    """The weighted mean of predictions.

    The weights come from greedy selection with replacement (Caruana et al. 2004): start from nothing, add the
    member that lowers the loss of the mean most, `steps` times; a member's weight is how often it was added.
    """

    name = "blend"
    mode = "supervised"
    choices = {"steps": Integer(25, 1, 200, tuned=False)}
    doc = "the weighted mean of predictions"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        if not inputs or any(t != inputs[0] for t in inputs) or inputs[0].name not in ("dist", "real"):
            raise TypeMismatch(
                f"blend takes predictions of one type, got {', '.join(map(str, inputs)) or 'nothing'}"
            )
        return inputs[0]

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        y = answers(context.target)
        loss = prediction_loss(y, context.weights, isinstance(inputs[0], Dists))
        return Fitted(
            {"weights": greedy_weights([values_of(c) for c in inputs], loss, int(settings["steps"]))}
        )

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        total = sum(w * values_of(c) for w, c in zip(arrays["weights"], inputs, strict=True))
        return prediction(np.asarray(total), output)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        weights = need(arrays, "weights", "f", 1, (len(inputs),))
        if weights.min(initial=0.0) < 0 or abs(float(weights.sum()) - 1) > 1e-6:
            raise FileFormatError("the weights of a blend are not shares of one")

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        return ["weights " + ", ".join(f"{w:.2f}" for w in arrays["weights"].tolist())]


def prediction_loss(y: NDArray[Any], weights: RealArray | None, classes: bool) -> Loss:
    """The default loss of a prediction: mean log-loss [N, K], or mean squared error [N]."""
    share = np.full(len(y), 1 / max(len(y), 1)) if weights is None else weights / weights.sum()
    every = np.arange(len(y))

    def log_loss(p: RealArray) -> float:
        return -float(share @ np.log(np.maximum(p[every, y], 1e-12)))

    def squared(p: RealArray) -> float:
        return float(share @ (p - y) ** 2)

    return log_loss if classes else squared


def greedy_weights(members: Sequence[RealArray], loss: Loss, steps: int) -> RealArray:
    """Shares of the members, by greedy selection with replacement; the best prefix of the steps is kept."""
    counts = np.zeros(len(members))
    total = np.zeros_like(members[0], dtype=np.float64)
    best_loss, best_counts = np.inf, counts
    for step in range(1, steps + 1):
        losses = [loss((total + m) / step) for m in members]
        pick = int(np.argmin(losses))
        counts[pick] += 1
        total += members[pick]
        if losses[pick] < best_loss - 1e-9:
            best_loss, best_counts = losses[pick], counts.copy()
    if best_counts.sum() == 0:
        best_counts = np.ones(len(members))
    result: RealArray = best_counts / best_counts.sum()
    return result


@register
class Temperature(ModuleKind):
    """Probabilities raised to a power and brought back to sum 1 (Guo et al. 2017): above 1 sharper, below 1 softer."""

    name = "temperature"
    mode = "supervised"
    choices = {}
    doc = "probabilities made honest"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        if len(inputs) != 1 or inputs[0].name != "dist":
            raise TypeMismatch(
                f"temperature takes one distribution, got {', '.join(map(str, inputs)) or 'nothing'}"
            )
        return inputs[0]

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        y = answers(context.target)
        loss = prediction_loss(y, context.weights, True)
        logs = np.log(np.maximum(values_of(inputs[0]), 1e-12))
        # The loss is convex in the power: golden-section search on its logarithm.
        low, high = np.log(0.1), np.log(5.0)
        ratio = (np.sqrt(5) - 1) / 2
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        fa, fb = loss(_powered(logs, np.exp(a))), loss(_powered(logs, np.exp(b)))
        for _ in range(30):
            if fa < fb:
                high, b, fb = b, a, fa
                a = high - ratio * (high - low)
                fa = loss(_powered(logs, np.exp(a)))
            else:
                low, a, fa = a, b, fb
                b = low + ratio * (high - low)
                fb = loss(_powered(logs, np.exp(b)))
        return Fitted({"power": np.array([float(np.exp((low + high) / 2))])})

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        logs = np.log(np.maximum(values_of(inputs[0]), 1e-12))
        return prediction(_powered(logs, float(arrays["power"][0])), output)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        power = need(arrays, "power", "f", 1, (1,))
        if not 1e-3 <= float(power[0]) <= 1e3:
            raise FileFormatError("the power of a temperature is out of range")

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        return [f"power {float(arrays['power'][0]):.3f}"]


def _powered(logs: RealArray, power: float) -> RealArray:
    scaled = logs * power
    shifted = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: RealArray = shifted / shifted.sum(axis=1, keepdims=True)
    return result
