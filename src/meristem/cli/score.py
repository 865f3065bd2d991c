"""`meristem score`: how good a model is on a table with answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.cli.session import say, warn
from meristem.errors import InputError

if TYPE_CHECKING:
    from meristem.model import Model
    from meristem.task.frames import Frame

Function = Callable[[NDArray[Any], NDArray[Any], NDArray[Any] | None], float]

_CLASSES = ("log_loss", "accuracy", "balanced_accuracy", "auc", "f1", "brier")
_NUMBERS = ("rmse", "mae", "r2")
_LEVEL = 0.9
_SECONDS = 1.0  # for the interval of one metric
_SEED = 0


@dataclass(frozen=True)
class Measured:
    """One metric of a model on a table, with its 95 % interval where one can be given."""

    name: str
    value: float
    low: float | None
    high: float | None
    better: str


@dataclass(frozen=True)
class Scored:
    """What `score` found.

    Args:
        metric: What the model was grown for.
        measured: The metrics, that one first.
        rows: Rows with an answer.
        left_out: Rows without one.
        weights: The column by which rows count differently, as they did in training; empty where all count the same.
    """

    metric: str
    measured: tuple[Measured, ...]
    rows: int
    left_out: int
    weights: str = ""


def score_command(model_path: Path, data: Path, as_json: bool) -> None:
    """Measure a model on a table and print it.

    Raises:
        InputError: The table lacks a column or the answers.
    """
    from meristem.model import ProgramModel, load
    from meristem.reading import read_table

    model = load(model_path)
    if isinstance(model, ProgramModel):
        from meristem.cli.program_answers import score_program

        score_program(model, data, as_json)
        return
    scored = measure(model, read_table(data))
    if as_json:
        metrics = {m.name: {"value": m.value, "low": m.low, "high": m.high} for m in scored.measured}
        found = {
            "metric": scored.metric,
            "rows": scored.rows,
            "left_out": scored.left_out,
            "weights": scored.weights or None,
            "metrics": metrics,
        }
        say(json.dumps(found, allow_nan=False))
        return
    _tell(model, scored, data)


def measure(model: Model, frame: Frame) -> Scored:
    """The metrics of a model on the rows of a frame that have an answer.

    Raises:
        InputError: There is no such row, or a column is missing or not what it was in training.
    """
    answers, places = model.schema.target_rows(frame)
    if not len(places):
        raise InputError(
            f"expected answers in the column {model.schema.target.name!r}, all {frame.rows:,} rows have none"
        )
    rows, notes = model.schema.rows(frame)
    for text in notes:
        warn(text)
    output = model.run_rows(rows if len(places) == frame.rows else rows.take(places))
    y: NDArray[Any] = answers.data
    chosen = str(model.record.get("facts", {}).get("metric", ""))
    functions = (
        _class_metrics(model, y, chosen)
        if model.kind == "classification"
        else _number_metrics(model, y, chosen)
    )
    from meristem.report.fingerprint import fingerprint
    from meristem.report.intervals import bootstrap

    if (seen := fingerprint(rows.take(places), answers)) and seen == model.report().facts.fingerprint:
        warn(
            "these are the rows that the model was grown from: the scores say nothing about rows it has not "
            "seen; score a table that was kept aside, or see `meristem show`"
        )
    weights, groups = _weights(model, frame, places), _groups(model, frame, places)
    measured = []
    for name, (function, better) in functions.items():
        value = float(function(y, output, weights))
        rng = np.random.default_rng(_SEED)
        low, high = bootstrap(y, output, function, rng=rng, weights=weights, groups=groups, seconds=_SECONDS)
        if better != "lower":  # the best is 1, and the shares of a few hundred rows may sum to 1 + 1e-15
            value, low, high = min(value, 1.0), low and min(low, 1.0), high and min(high, 1.0)
        measured.append(Measured(name, value, low, high, better))
    used = "" if weights is None else model.schema.weight or ""
    return Scored(chosen, tuple(measured), len(places), frame.rows - len(places), used)


def _weights(model: Model, frame: Frame, places: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """How much each of the rows at `places` counts [N]: by the column that said so in training, if the table has it.

    Raises:
        InputError: It holds something else than weights.
    """
    from meristem.reading.roles import read_weights

    name = model.schema.weight
    if name is None:
        return None
    if name not in frame.places:
        warn(
            f"the table lacks the column {name!r}, which held weights in training: here all rows count the same"
        )
        return None
    return read_weights(frame, name, places)


def _groups(model: Model, frame: Frame, places: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The groups of the rows at `places` [N], which intervals respect; None where the table tells none apart."""
    from meristem.reading.roles import read_groups

    name = model.schema.group
    if name is None or name not in frame.places:
        return None
    try:
        return read_groups(frame, name, places)[0]
    except InputError:  # all rows are of one group
        return None


def _shares(y: NDArray[Any], weights: NDArray[Any] | None) -> NDArray[np.float64]:
    return np.full(len(y), 1 / len(y)) if weights is None else weights / weights.sum()


def _class_metrics(model: Model, y: NDArray[Any], chosen: str) -> dict[str, tuple[Function, str]]:
    from meristem.cli.tables import decided
    from meristem.task.objective import METRICS, Metric

    def of(metric: Metric) -> Function:
        def function(y: NDArray[Any], p: NDArray[Any], weights: NDArray[Any] | None) -> float:
            given = decided(model, p) if metric.needs == "labels" else p
            return float(metric.function(y, given, _shares(y, weights)))

        return function

    def cost(y: NDArray[Any], p: NDArray[Any], weights: NDArray[Any] | None) -> float:
        assert model.costs is not None
        return float(_shares(y, weights) @ model.costs[y, decided(model, p)])

    found: dict[str, tuple[Function, str]] = {}
    if model.costs is not None:
        found["cost"] = (cost, "lower")
    for name in _ordered(_CLASSES, chosen):
        if name in ("auc", "f1", "balanced_accuracy") and len(np.unique(y)) < 2:
            continue  # of a single class these say nothing
        found[name] = (of(METRICS[name]), "higher" if METRICS[name].greater else "lower")
    return found


def _number_metrics(model: Model, y: NDArray[Any], chosen: str) -> dict[str, tuple[Function, str]]:
    from meristem.task.objective import METRICS, Metric

    def of(metric: Metric) -> Function:
        return lambda y, v, weights: float(metric.function(y, v, _shares(y, weights)))

    found: dict[str, tuple[Function, str]] = {}
    for name in _ordered(_NUMBERS, chosen):
        if (name == "r2" and y.min() == y.max()) or (name == "rmsle" and y.min() <= -1):
            continue
        found[name] = (of(METRICS[name]), "higher" if METRICS[name].greater else "lower")
    if model.residuals is not None:
        low, high = model.interval_of(_LEVEL)

        def coverage(y: NDArray[Any], v: NDArray[Any], weights: NDArray[Any] | None) -> float:
            return float(_shares(y, weights) @ ((y >= v + low) & (y <= v + high)))

        found["coverage_90"] = (coverage, "near 90 %")
    return found


def _ordered(names: tuple[str, ...], first: str) -> list[str]:
    """The names, the one that the model was grown for first, wherever it is a metric that has a name."""
    from meristem.task.objective import METRICS

    return [first, *(n for n in names if n != first)] if first in METRICS else list(names)


def _tell(model: Model, scored: Scored, data: Path) -> None:
    from meristem.model.sentences import metric_name, score_line
    from meristem.model.words import clean, count, numbers_alike

    left = f"; {count(scored.left_out, 'row')} without an answer left out" if scored.left_out else ""
    if scored.weights:
        left += f"; weighted by {clean(scored.weights, 40)}"
    say(
        f"{clean(model.schema.target.name, 60)} on {count(scored.rows, 'row')} of {clean(data.name, 80)}{left}"
    )
    say()
    table = []
    for m in scored.measured:
        value, low, high = numbers_alike(m.value, m.low, m.high)
        interval = "" if m.low is None or m.low == m.high else f"{low} to {high}"
        name = "answers within the 90 % bounds" if m.name == "coverage_90" else metric_name(m.name)
        table.append((name, value, interval, m.better))
    head = ("", "value", "95 % interval", "better")
    widths = [max(len(row[k]) for row in [head, *table]) for k in range(3)]
    for row in [head, *table]:
        cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2]), row[3]]
        say(("  " + "  ".join(cells)).rstrip())
    say()
    report = model.report()
    if report.candidates:
        say(f"When it was grown, on rows it had not learned from: {score_line(report)}.")
