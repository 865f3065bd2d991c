"""The report of a run: how good the model is, what was tried, what it looks at, whether more rows would help."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem._version import __version__
from meristem.growth.ensemble import Composed, Selection
from meristem.growth.omitted import left_out
from meristem.language.text import format_term
from meristem.model import Model, report
from meristem.report.calibration import coverage, reliability
from meristem.report.curve import forecast
from meristem.report.fingerprint import fingerprint
from meristem.report.importance import permutation_importance
from meristem.report.intervals import bootstrap
from meristem.values import Rows, codes, reals

if TYPE_CHECKING:
    from meristem.growth.loop import Growth
    from meristem.task import Task

RealArray = NDArray[np.float64]

_MOST_CANDIDATES = 300  # that the report lists; the best and the failed ones first
_IMPORTANCE_ROWS = 1000
_IMPORTANCE_REPEATS = 5


@dataclass(frozen=True)
class Explained:
    """What the report is made from.

    Args:
        task: The whole task.
        used: The rows that were used.
        growth: The finished run.
        selection: The members of the model; None where the baseline is the answer.
        composed: The program, with its predictions for the held-out rows.
        base_output: The baseline's predictions for the same rows.
        base_loss: Its loss.
        seed: Of the run.
    """

    task: Task
    used: Task
    growth: Growth
    selection: Selection | None
    composed: Composed
    base_output: RealArray
    base_loss: float
    seed: int


def explain(run: Explained, model: Model) -> report.Report:
    """The report of a run. What would take too long is left out; the scores are always there."""
    growth = run.growth
    rng = np.random.default_rng([run.seed, 3])
    same = _same(run.task)
    baseline = _score(run, run.base_output, same, rng)
    what = "the grown model" if run.selection is not None else same
    best = _score(run, run.composed.honest, what, rng)
    importance = _importance(run, model, rng)
    curve = _curve(growth)
    effort = _effort(run)  # last, so that the time to explain is in the time used
    return report.Report(
        facts=_facts(run),
        effort=effort,
        baseline=baseline,
        best=best,
        candidates=_candidates(growth),
        members=_members(run),
        importance=importance,
        calibration=_calibration(run),
        curve=curve,
        left_out=left_out(run, best, len(importance), curve),
    )


def least_report(run: Explained) -> report.Report:
    """The least that a report holds: what the task was, and the baseline's score."""
    score = run.growth.scorer.score(run.growth.y, run.base_output, run.growth.weights)
    baseline = report.Score(_same(run.task), run.base_loss, score)
    return report.Report(facts=_facts(run), effort=_effort(run), baseline=baseline, best=baseline)


def _same(task: Task) -> str:
    """What the baseline answers."""
    return "always the class shares" if task.kind == "classification" else "always the mean"


def _effort(run: Explained) -> report.Effort:
    growth = run.growth
    return report.Effort(
        seconds=growth.clock.elapsed,
        budget_seconds=None if math.isinf(growth.clock.limit) else growth.clock.limit,
        budget_trials=growth.budget.trials,
        workers=growth.budget.workers,
        seed=run.seed,
        versions={"meristem": __version__, "python": platform.python_version(), "numpy": np.__version__},
    )


def _facts(run: Explained) -> report.Facts:
    task, scorer = run.task, run.growth.scorer
    classes: tuple[report.ClassCount, ...] = ()
    if task.kind == "classification":
        counts = np.bincount(codes(task.target), minlength=len(task.schema.target.values))
        pairs = zip(task.schema.target.values, counts.tolist(), strict=False)
        classes = tuple(report.ClassCount(str(label), int(count)) for label, count in pairs)
    findings = [f.text for f in task.findings]
    if len(run.used) < len(task):
        findings.append(
            f"used {len(run.used):,} of {len(task):,} rows: more would not have fitted the budget"
        )
    kind = "classes" if task.kind == "classification" else "number"
    width = len(task.schema.features)
    target, metric = task.schema.target.name, scorer.name
    return report.Facts(
        task.name,
        len(task),
        width,
        target,
        kind,
        metric,
        scorer.metric.greater,
        classes,
        tuple(findings),
        fingerprint(task.inputs["row"], task.target),
    )


def _score(run: Explained, output: RealArray, what: str, rng: np.random.Generator) -> report.Score:
    growth, scorer = run.growth, run.growth.scorer
    score = scorer.score(growth.y, output, growth.weights)
    covered = growth.splits.covered
    groups = None if growth.examples.groups is None else growth.examples.groups[covered]
    low, high = bootstrap(
        growth.y,
        output,
        scorer.score,
        groups=groups,
        weights=growth.weights,
        rng=rng,
        seconds=_seconds(growth, 0.15),
    )
    return report.Score(what, -score if scorer.metric.greater else score, score, low, high)


def _seconds(growth: Growth, share: float) -> float:
    """Seconds that a step may take: a share of what is left, or plenty where only trials count."""
    end = growth.clock.end
    return 2.0 if math.isinf(end) else max(share * (end - time.monotonic()), 0.01)


def _candidates(growth: Growth) -> tuple[report.Candidate, ...]:
    told = growth.portfolio.history.told
    kept = told
    if len(told) > _MOST_CANDIDATES:
        ranked = sorted(told, key=lambda r: (r.loss is not None, r.loss or 0.0))[:_MOST_CANDIDATES]
        kept = sorted(ranked, key=lambda r: r.candidate.number)
    return tuple(
        report.Candidate(
            r.candidate.number,
            r.candidate.origin,
            format_term(r.candidate.term),
            r.outcome,
            r.reason[:500],
            r.loss,
            r.seconds,
            growth.ended_at.get(r.candidate.number),
        )
        for r in kept
    )


def _members(run: Explained) -> tuple[report.Member, ...]:
    if run.selection is None:
        return ()
    pairs = zip(run.selection.members, run.selection.weights.tolist(), strict=True)
    return tuple(report.Member(format_term(m.candidate.term), float(w), m.loss) for m, w in pairs)


def _importance(run: Explained, model: Model, rng: np.random.Generator) -> tuple[report.Importance, ...]:
    row = run.used.inputs.get("row")
    if run.selection is None or not isinstance(row, Rows):
        return ()  # the baseline looks at nothing
    growth = run.growth
    n = len(run.used)
    chosen = np.sort(rng.choice(n, min(n, _IMPORTANCE_ROWS), replace=False))
    target = run.used.target.take(chosen)
    y: NDArray[Any] = codes(target) if run.task.kind == "classification" else reals(target)
    weights = None if run.used.weights is None else run.used.weights[chosen]
    loss: Callable[[RealArray], float] = lambda prediction: growth.scorer.loss(y, prediction, weights)  # noqa: E731
    deadline = time.monotonic() + _seconds(growth, 0.6)
    return tuple(
        permutation_importance(
            model.run_rows, row.take(chosen), loss, rng=rng, repeats=_IMPORTANCE_REPEATS, deadline=deadline
        )
    )


def _calibration(run: Explained) -> report.Calibration | None:
    growth = run.growth
    if run.task.kind == "classification":
        labels = tuple(map(str, run.task.schema.target.values))
        return reliability(growth.y, run.composed.honest, growth.weights, labels=labels)
    return coverage(growth.y, run.composed.honest, growth.weights)


def _curve(growth: Growth) -> report.Curve | None:
    points = growth.full_curve()
    return (
        forecast(points, metric=growth.scorer.name, greater=growth.scorer.metric.greater)
        if len(points) >= 3
        else None
    )
