"""What counts as good: a metric, what each error costs, limits on size and latency."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError
from meristem.task.budget import bytes_from, seconds_from
from meristem.types import Type

RealArray = NDArray[np.float64]
Needs = Literal["probabilities", "labels", "values"]
Function = Callable[[NDArray[Any], NDArray[Any], RealArray], float]
"""(answers, prediction, shares that sum to 1) -> score."""


@dataclass(frozen=True)
class Metric:
    """A named measure of predictions.

    Args:
        name: As a user writes it.
        needs: Class probabilities [N, K], class codes [N], or numbers [N].
        function: The measure.
        greater: Whether more is better.
        limit: The best value there is, None when there is none.
    """

    name: str
    needs: Needs
    function: Function
    greater: bool = False
    limit: float | None = 0.0


def _picked(y: NDArray[Any], p: NDArray[Any]) -> RealArray:
    found: RealArray = p[np.arange(len(y)), y]
    return found


def _auc(y: NDArray[Any], p: NDArray[Any], w: RealArray) -> float:
    """Area under the ROC curve; with more than two classes the mean of each class against the rest."""
    areas = []
    for k in [1] if p.shape[1] == 2 else range(p.shape[1]):
        positive = y == k
        if not positive.any() or positive.all():
            continue
        scores, place = np.unique(p[:, k], return_inverse=True)
        up = np.bincount(place, w * positive, len(scores))
        down = np.bincount(place, w * ~positive, len(scores))
        below = np.cumsum(down) - down
        areas.append(float((up * (below + down / 2)).sum() / (up.sum() * down.sum())))
    return float(np.mean(areas)) if areas else 0.5


def _per_class(
    y: NDArray[Any], c: NDArray[Any], w: RealArray
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    k = int(max(y.max(initial=0), c.max(initial=0))) + 1
    return (
        np.bincount(y[y == c], w[y == c], k),
        np.bincount(y, w, k),
        np.bincount(c, w, k),
    )


def _balanced(y: NDArray[Any], c: NDArray[Any], w: RealArray) -> float:
    hit, actual, _ = _per_class(y, c, w)
    return float((hit[actual > 0] / actual[actual > 0]).mean())


def _f1(y: NDArray[Any], c: NDArray[Any], w: RealArray) -> float:
    """F1 of the second class where there are two, else the mean over classes."""
    hit, actual, said = _per_class(y, c, w)
    each = 2 * hit / np.maximum(actual + said, 1e-300)
    if len(each) <= 2:
        return float(each[1]) if len(each) == 2 else 0.0
    return float(each[(actual + said) > 0].mean())


def _r2(y: NDArray[Any], v: NDArray[Any], w: RealArray) -> float:
    spread = float(w @ (y - w @ y) ** 2)
    return 1.0 - float(w @ (y - v) ** 2) / spread if spread > 0 else 0.0


def _log1p_rmse(y: NDArray[Any], v: NDArray[Any], w: RealArray) -> float:
    if (y <= -1).any():
        raise InputError("rmsle needs answers above -1; choose another metric")
    return float(np.sqrt(w @ (np.log1p(y) - np.log1p(np.maximum(v, -1 + 1e-9))) ** 2))


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric(
            "log_loss", "probabilities", lambda y, p, w: -float(w @ np.log(np.maximum(_picked(y, p), 1e-12)))
        ),
        Metric(
            "brier", "probabilities", lambda y, p, w: float(w @ ((p**2).sum(axis=1) - 2 * _picked(y, p) + 1))
        ),
        Metric("auc", "probabilities", _auc, greater=True, limit=1.0),
        Metric("accuracy", "labels", lambda y, c, w: float(w @ (y == c)), greater=True, limit=1.0),
        Metric("balanced_accuracy", "labels", _balanced, greater=True, limit=1.0),
        Metric("f1", "labels", _f1, greater=True, limit=1.0),
        Metric("rmse", "values", lambda y, v, w: float(np.sqrt(w @ (y - v) ** 2))),
        Metric("mse", "values", lambda y, v, w: float(w @ (y - v) ** 2)),
        Metric("mae", "values", lambda y, v, w: float(w @ np.abs(y - v))),
        Metric("rmsle", "values", _log1p_rmse),
        Metric("r2", "values", _r2, greater=True, limit=1.0),
    )
}
_OTHER_NAMES = {"logloss": "log_loss", "roc_auc": "auc", "acc": "accuracy", "l1": "mae", "l2": "mse"}


@dataclass(frozen=True)
class Objective:
    """What counts as good.

    Args:
        metric: None for the default (log-loss for classes, RMSE for numbers), a name from
            `meristem.task.objective.METRICS`, or any callable `f(answers, predictions) -> float` that is to be made
            small. It gets what `predict` gives (labels or numbers); with an attribute `needs_probabilities = True` it
            gets probabilities [N, K] in the order of `classes_`, with `greater_is_better = True` it is made large.
        costs: What each kind of error costs, 0 or more: `{(actual, predicted): cost}`; an error that is left out
            costs 1, a right answer nothing. Or a matrix [K, K] with a row an actual and a column a predicted class,
            in the order of `classes_`.
        max_size: Most bytes the saved model may have, as a number or text (`"100kB"`).
        max_latency: Most seconds that predicting one row may take, as a number or text (`"2ms"`).
    """

    metric: str | Callable[..., float] | None = None
    costs: Mapping[tuple[Any, Any], float] | Sequence[Sequence[float]] | None = None
    max_size: int | str | None = None
    max_latency: float | str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.metric, str):
            name = self.metric.lower().replace("-", "_").replace(" ", "_")
            name = _OTHER_NAMES.get(name, name)
            if name not in METRICS:
                raise InputError(f"expected a metric among {', '.join(sorted(METRICS))}, got {self.metric!r}")
            object.__setattr__(self, "metric", name)
        elif self.metric is not None and not callable(self.metric):
            raise InputError(f"expected the name of a metric or a callable, got {self.metric!r}")
        if self.metric is not None and self.costs is not None:
            raise InputError("expected either a metric or costs, got both: costs are a metric of their own")
        if self.max_size is not None:
            object.__setattr__(self, "max_size", bytes_from(self.max_size))
        if self.max_latency is not None:
            object.__setattr__(self, "max_latency", seconds_from(self.max_latency))

    def scorer(self, target: Type, classes: Sequence[Any]) -> Scorer:
        """The measure for a task.

        Args:
            target: The type of the answers.
            classes: For classes the labels as the user wrote them, in the order of the codes.

        Raises:
            InputError: The metric or the costs do not fit the task.
        """
        is_class = target.name in ("class", "bool")
        if self.costs is not None:
            if not is_class:
                raise InputError("costs are for classes, but the target is a number; use a metric instead")
            table = _cost_matrix(self.costs, classes)
            free = np.flatnonzero((table <= 0).all(axis=0))
            if len(free):
                warnings.warn(
                    f"expected costs by which every class is sometimes a wrong answer, but answering "
                    f"{classes[free[0]]!r} for every row costs nothing: the model will do just that; state what it "
                    f"costs where another class is right",
                    stacklevel=3,
                )
            return Scorer(Metric("cost", "labels", _unused), classes, table)
        metric = self.metric if self.metric is not None else ("log_loss" if is_class else "rmse")
        if isinstance(metric, str):
            found = METRICS[metric]
            if (found.needs == "values") == is_class:
                fitting = ", ".join(n for n, m in METRICS.items() if (m.needs == "values") != is_class)
                what = "classes" if is_class else "numbers"
                raise InputError(
                    f"the metric {metric} does not fit a target of {what}; expected one of {fitting}"
                )
            return Scorer(found, classes)
        needs: Needs = "values"
        if is_class:
            needs = "probabilities" if getattr(metric, "needs_probabilities", False) else "labels"
        greater = bool(getattr(metric, "greater_is_better", False))
        name = getattr(metric, "__name__", type(metric).__name__)
        return Scorer(Metric(name, needs, _unused, greater, None), classes, callable_=metric)


def _unused(y: NDArray[Any], p: NDArray[Any], w: RealArray) -> float:
    raise AssertionError("replaced by the scorer")


def _cost_matrix(costs: Any, classes: Sequence[Any]) -> RealArray:
    k = len(classes)
    if isinstance(costs, Mapping):
        # As in most work on costs, an error costs 1 unless something else is said. With 0 for what nobody mentioned, a
        # class that nobody mentioned would be an answer that is never wrong.
        table = 1.0 - np.eye(k)
        places = {str(c): i for i, c in enumerate(classes)}
        for key, cost in costs.items():
            if not isinstance(key, tuple) or len(key) != 2 or any(str(part) not in places for part in key):
                raise InputError(f"expected costs for (actual, predicted) among {list(classes)}, got {key!r}")
            if isinstance(cost, bool) or not isinstance(cost, int | float | np.integer | np.floating):
                raise InputError(f"expected a number as the cost of {key!r}, got {cost!r}")
            table[places[str(key[0])], places[str(key[1])]] = cost
    else:
        try:
            table = np.asarray(costs, np.float64)
        except (TypeError, ValueError):
            raise InputError(f"expected a cost matrix of {k} x {k} numbers, got {costs!r:.100}") from None
    if table.shape != (k, k) or not np.isfinite(table).all():
        raise InputError(f"expected a cost matrix of {k} x {k} finite numbers, got shape {table.shape}")
    if (table < 0).any():
        row, column = np.argwhere(table < 0)[0].tolist()
        meant = (
            "a gain from a right answer is the same as that much more cost of each wrong one"
            if row == column
            else "that would pay for an error; is its sign wrong?"
        )
        raise InputError(
            f"expected costs of 0 or more, got {table[row, column]:g} where {classes[row]!r} is right and "
            f"{classes[column]!r} is answered: {meant}"
        )
    return table


@dataclass(frozen=True)
class Scorer:
    """A metric bound to a task: what a run makes small, and what it shows.

    Args:
        metric: The measure.
        classes: For classes the labels as the user wrote them.
        costs: Cost matrix [K, K]; the decision is then the class of least expected cost.
        callable_: The user's own function.
    """

    metric: Metric
    classes: Sequence[Any] = ()
    costs: RealArray | None = None
    callable_: Callable[..., float] | None = None

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.metric.name

    def decide(self, probabilities: RealArray) -> NDArray[np.int64]:
        """Class codes [N] from probabilities [N, K]: the likeliest, or the one of least expected cost."""
        if self.costs is None:
            return np.asarray(np.argmax(probabilities, axis=1), np.int64)
        return np.asarray(np.argmin(probabilities @ self.costs, axis=1), np.int64)

    def score(self, y: NDArray[Any], prediction: RealArray, weights: RealArray | None = None) -> float:
        """The metric as the user knows it.

        Args:
            y: Class codes [N] or numbers [N].
            prediction: Probabilities [N, K] or numbers [N].
            weights: [N], or None.
        """
        share = np.full(len(y), 1 / max(len(y), 1)) if weights is None else weights / weights.sum()
        needs = self.metric.needs
        given: NDArray[Any] = self.decide(prediction) if needs == "labels" else prediction
        if self.costs is not None:
            return float(share @ self.costs[y, given])
        if self.callable_ is not None:
            if needs != "values":
                names = np.array(self.classes, dtype=object)
                y = names[y]
                given = names[given] if needs == "labels" else given
            return float(self.callable_(y, given))
        return self.metric.function(y, given, share)

    def loss(self, y: NDArray[Any], prediction: RealArray, weights: RealArray | None = None) -> float:
        """The score turned so that less is better."""
        score = self.score(y, prediction, weights)
        return -score if self.metric.greater else score
