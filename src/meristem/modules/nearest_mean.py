"""Classes from features by the nearest class mean: what one or two labels a class allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError
from meristem.language.kinds import FitContext, Fitted, ModuleKind, OneOf, Settings, register
from meristem.modules._inputs import answers, class_count, matrix, need, prediction, prediction_type, softmax
from meristem.modules.ridge_head import features_to_classes
from meristem.types import Type
from meristem.values import Column

_PRIOR = (
    2.0  # rows' worth of belief that all classes spread alike: with one label a class nothing else is known
)


@register
class NearestMean(ModuleKind):
    """Probabilities from the squared distance to the mean of each class (Snell and others 2017, without the training).

    With `scaled` the features count by how much they differ inside of a class, shrunk towards counting alike.
    """

    name = "nearest_mean"
    mode = "supervised"
    choices = {"scaled": OneOf(True, (True, False))}
    doc = "the nearest class mean"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        return features_to_classes(inputs, target, self.name)

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        x, y = matrix(inputs), answers(context.target)
        assert context.target is not None
        k = class_count(prediction_type(context.target.type, self.name))
        weights = np.ones(len(y)) if context.weights is None else context.weights
        totals = np.bincount(y, weights, minlength=k)
        sums = np.zeros((k, x.shape[1]))
        np.add.at(sums, y, weights[:, None] * x)
        middle = (weights @ x) / weights.sum()
        # A class that these rows lack has no mean: it is put so far off that it is never the nearest.
        means = np.where(totals[:, None] > 0, sums / np.maximum(totals, 1e-12)[:, None], middle)
        inside = weights @ (x - means[y]) ** 2
        free = max(weights.sum() - int((totals > 0).sum()), 0.0)
        around = max(float((weights @ (x - middle) ** 2).mean() / weights.sum()), 1e-12)
        # Rows of one class each show nothing of the spread inside; a quarter of that around all is a guess then.
        guess = (float(inside.mean()) + _PRIOR * around / 4) / (free + _PRIOR)
        spread = np.full(x.shape[1], guess)
        if settings["scaled"]:
            spread = (inside + _PRIOR * guess) / (free + _PRIOR)
        scale = 1.0 / np.sqrt(np.maximum(spread, 1e-3 * guess + 1e-12))
        sharp = 1.0 / max(x.shape[1] ** 0.5, 1.0)  # features go together, so D of them do not count D times
        return Fitted({"means": means, "scale": scale, "sharp": np.array([sharp]), "known": totals > 0})

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        x, means = matrix(inputs) * arrays["scale"], arrays["means"] * arrays["scale"]
        squared = (x**2).sum(axis=1)[:, None] - 2.0 * (x @ means.T) + (means**2).sum(axis=1)
        scores = -0.5 * float(arrays["sharp"][0]) * np.maximum(squared, 0.0)
        scores[:, ~arrays["known"]] = scores.min(axis=1, initial=0.0)[:, None] - 50.0
        return prediction(softmax(scores), output)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        k = class_count(output)
        means = need(arrays, "means", "f", 2, (k, None))
        need(arrays, "scale", "f", 1, (means.shape[1],))
        need(arrays, "sharp", "f", 1, (1,))
        if not need(arrays, "known", "b", 1, (k,)).any():
            raise FileFormatError("a module of class means knows no class")

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        k, d = arrays["means"].shape
        return [f"means of {d} features for {k} classes"]
