"""Heads as plain linear maps, so that a head on a network's features can take the place of its last layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import KINDS, FitContext, settings_of
from meristem.types import Type
from meristem.values import Dense, Scalars

RealArray = NDArray[np.float64]
HEADS = ("nearest_mean", "ridge_head", "logistic")
_NEVER = -1e4  # the score of a class that no row was of


def fit_linear_head(
    name: str,
    features: NDArray[Any],
    classes: NDArray[np.int64],
    output: Type,
    rng: np.random.Generator,
    deadline: float = math.inf,
    **choices: Any,
) -> tuple[RealArray, RealArray]:
    """Fit a head to features [N, D] of rows of these classes; gives weights [D, K] and bias [K].

    The softmax of `features @ weights + bias` is what the head says.
    """
    kind = KINDS.find(name)
    vectors = Dense(Type("vector", params=(features.shape[1],)), features.astype(np.float64))
    context = FitContext(Scalars(output, classes.astype(np.int64)), rng, deadline=deadline)
    return linear_of(name, kind.fit([vectors], settings_of(kind, choices), context).arrays)


def linear_of(name: str, arrays: Mapping[str, NDArray[Any]]) -> tuple[RealArray, RealArray]:
    """The weights [D, K] and the bias [K] of a fitted head.

    The squared distance to a mean m with scales s is |s x|^2 - 2 (s^2 m) . x + |s m|^2, and its first term is the same
    for all classes: so the nearest mean is linear too.

    Raises:
        TypeMismatch: The kind is no such head.
    """
    if name in ("ridge_head", "logistic"):
        weights, bias = np.asarray(arrays["weights"], np.float64), np.asarray(arrays["bias"], np.float64)
        if weights.shape[1] == 1:  # two classes, told apart by one score
            zero = np.zeros_like(weights)
            return np.concatenate([zero, weights], axis=1), np.concatenate([np.zeros(1), bias])
        return weights, bias
    if name == "nearest_mean":
        means, sharp = np.asarray(arrays["means"], np.float64), float(arrays["sharp"][0])
        squared = np.asarray(arrays["scale"], np.float64) ** 2
        bias = -0.5 * sharp * (means**2 @ squared)
        return sharp * (means * squared).T, np.where(arrays["known"], bias, _NEVER)
    raise TypeMismatch(f"expected one of {', '.join(HEADS)}, got {name}")


__all__ = ["HEADS", "fit_linear_head", "linear_of"]
