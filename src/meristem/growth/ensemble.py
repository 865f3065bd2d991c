"""Choosing which candidates answer together, and making one program of them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meristem.language.kinds import KINDS, Arrays, FitContext
from meristem.language.terms import Module, Term, module, modules_of, rewrite
from meristem.model.program import Program
from meristem.modules._inputs import prediction, prediction_type
from meristem.modules.blend import greedy_weights, prediction_loss, values_of
from meristem.search.candidate import Result
from meristem.task.objective import METRICS, Metric, Scorer
from meristem.types import Type
from meristem.values import Column, codes

RealArray = NDArray[np.float64]

_MOST_MEMBERS = 14  # of these the greedy choice is made; those ranked lower were never chosen in our trials
_MOST_ROWS = 20_000  # held-out rows that the choice looks at
_STEPS = 25
_FIFTHS = 5
_MOST_RECHOSEN = 60  # candidates among which the choice is made again


@dataclass(frozen=True)
class Selection:
    """Candidates and their shares.

    Args:
        members: With a share above 0, largest first.
        weights: The shares, they sum to 1.
        loss: Of their mean on the held-out rows.
    """

    members: tuple[Result, ...]
    weights: RealArray
    loss: float

    @property
    def output(self) -> RealArray:
        """The mean of the members' held-out predictions."""
        total = sum(
            w * m.output for w, m in zip(self.weights, self.members, strict=True) if m.output is not None
        )
        return np.asarray(total)


def select(
    results: Sequence[Result], y: NDArray[np.generic], weights: RealArray | None, scorer: Scorer
) -> Selection | None:
    """The greedy choice among the best results, or the best one alone where that is no worse.

    A user's own metric may be slow, and metrics of labels are flat almost everywhere; for both the choice is made by
    the loss of the probabilities or the squared error, and then compared with the best one alone by the metric.
    """
    ranked = sorted((r for r in results if r.loss is not None), key=lambda r: (r.loss, r.candidate.number))[
        :_MOST_MEMBERS
    ]
    if not ranked:
        return None
    single = Selection((ranked[0],), np.ones(1), float(ranked[0].loss or 0.0))
    if len(ranked) == 1:
        return single
    smooth = scorer
    if scorer.callable_ is not None or scorer.metric.needs == "labels" or scorer.costs is not None:
        smooth = Scorer(_smooth_metric(scorer), scorer.classes)
    n = len(y)
    rows = np.arange(n) if n <= _MOST_ROWS else np.linspace(0, n - 1, _MOST_ROWS).astype(np.int64)
    part, part_weights = y[rows], None if weights is None else weights[rows]
    outputs = [r.output[rows] for r in ranked if r.output is not None]
    shares = greedy_weights(outputs, lambda p: smooth.loss(part, p, part_weights), _STEPS)
    order = [k for k in np.argsort(-shares, kind="stable").tolist() if shares[k] > 0]
    chosen = Selection(tuple(ranked[k] for k in order), shares[order], 0.0)
    loss = scorer.loss(y, chosen.output, weights)
    return Selection(chosen.members, chosen.weights, loss) if loss < single.loss else single


def _smooth_metric(scorer: Scorer) -> Metric:
    return METRICS["rmse" if scorer.metric.needs == "values" else "log_loss"]


def fit_temperature(
    output: RealArray, target: Column, weights: RealArray | None, scorer: Scorer
) -> Arrays | None:
    """The arrays of a temperature that makes probabilities better, or None where none does.

    With few rows a handful of errors decides it, and probabilities sharpened too far cost dear. So it is kept only
    where temperatures fitted on four fifths of the rows help on the other fifth, all fifths together.
    """
    type_ = prediction_type(target.type, "temperature")
    if type_.name != "dist" or scorer.name == "auc" or len(output) < 2 * _FIFTHS:
        return None
    kind = KINDS.find("temperature")

    def fitted(rows: NDArray[np.int64]) -> Arrays:
        part = None if weights is None else weights[rows]
        context = FitContext(target.take(rows), np.random.default_rng(0), part)
        return kind.fit([prediction(output[rows], type_)], {}, context).arrays

    tried = np.empty_like(output)
    fold = np.random.default_rng(0).permutation(np.arange(len(output)) % _FIFTHS)
    for k in range(_FIFTHS):
        held = np.flatnonzero(fold == k)
        tried[held] = apply_temperature(fitted(np.flatnonzero(fold != k)), output[held], target.type)
    loss = prediction_loss(codes(target), weights, True)
    return fitted(np.arange(len(output))) if loss(tried) < loss(output) else None


def apply_temperature(arrays: Arrays, output: RealArray, target: Type) -> RealArray:
    """Probabilities after a temperature."""
    type_ = prediction_type(target, "temperature")
    return values_of(KINDS.find("temperature").forward(arrays, [prediction(output, type_)], {}, type_))


def honest_output(
    results: Sequence[Result],
    target: Column,
    y: NDArray[np.generic],
    weights: RealArray | None,
    scorer: Scorer,
    rng: np.random.Generator,
    deadline: float,
) -> RealArray | None:
    """Predictions for the held-out rows by a choice that did not see their answers.

    The best of many candidates looks better than it is, the more so the fewer the rows. So the whole choice (members,
    shares, temperature) is made again on four fifths of the rows and applied to the other fifth, for each fifth. What
    is left of the flattery is that search itself was led by all rows.

    Returns:
        None where there is nothing to choose, where rows are so many that it does not matter, or no time is left.
    """
    ranked = sorted((r for r in results if r.loss is not None), key=lambda r: (r.loss, r.candidate.number))
    ranked = ranked[:_MOST_RECHOSEN]
    n = len(y)
    if not 2 * _FIFTHS <= n <= _MOST_ROWS or not ranked or ranked[0].output is None:
        return None
    found = np.empty_like(ranked[0].output)
    fold = rng.permutation(np.arange(n) % _FIFTHS)
    for k in range(_FIFTHS):
        if time.monotonic() > deadline:
            return None
        rest, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        part_weights = None if weights is None else weights[rest]
        parts = []
        for result in ranked:
            assert result.output is not None
            output = result.output[rest]
            loss = scorer.loss(y[rest], output, part_weights)
            parts.append(dataclasses.replace(result, loss=loss, output=output))
        chosen = select(parts, y[rest], part_weights, scorer)
        assert chosen is not None
        power = fit_temperature(chosen.output, target.take(rest), part_weights, scorer)
        whole = {r.candidate.number: r.output for r in ranked}
        pairs = zip(chosen.weights, chosen.members, strict=True)
        mean = np.asarray(sum(w * np.asarray(whole[m.candidate.number])[held] for w, m in pairs))
        found[held] = mean if power is None else apply_temperature(power, mean, target.type)
    return found


@dataclass(frozen=True)
class Composed:
    """A program made of a selection, and predictions for the held-out rows.

    Args:
        program: The program.
        output: What its members and their mean gave.
        honest: The same by a choice of members that did not see the rows; see `honest_output`.
    """

    program: Program
    output: RealArray
    honest: RealArray


def compose(
    selection: Selection,
    fit_of: Callable[[Result], Mapping[str, Arrays]],
    inputs: Mapping[str, Type],
    target: Column,
    weights: RealArray | None,
    scorer: Scorer,
) -> Composed:
    """One program of the members: their weighted mean, with a temperature where that makes probabilities better.

    Args:
        selection: The members, each with a fit.
        fit_of: The fit of a member.
        inputs: Types of the inputs.
        target: Answers of the held-out rows.
        weights: Of the held-out rows.
        scorer: The measure; the temperature is fitted for log-loss and kept out where only the order counts.
    """
    terms: list[Term] = []
    fit: dict[str, Arrays] = {}
    for member in selection.members:
        part, own = member.candidate.term, dict(fit_of(member))
        if any(slot in fit and not same_arrays(fit[slot], own[slot]) for slot in own):
            # Members that were fitted on different rows cannot share the fit of a common part.
            part, own = relabel(part, own, f"member {member.candidate.number}")
        terms.append(part)
        fit.update(own)
    term: Term = terms[0]
    if len(terms) > 1:
        blend = module("blend", *terms)
        term, fit[blend.slot] = blend, {"weights": np.asarray(selection.weights, np.float64)}
    output = selection.output
    power = fit_temperature(output, target, weights, scorer)
    if power is not None:
        sharper = module("temperature", term)
        term, fit[sharper.slot], output = sharper, power, apply_temperature(power, output, target.type)
    used = {node.slot for node in modules_of(term)}
    program = Program(term, dict(inputs), target.type, {slot: fit[slot] for slot in fit if slot in used})
    return Composed(program, output, output)


def same_arrays(left: Arrays, right: Arrays) -> bool:
    """Whether two fits of a module are equal."""
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


def relabel(term: Term, fit: Mapping[str, Arrays], label: str) -> tuple[Term, dict[str, Arrays]]:
    """The term with a label on each module, so that its slots are its own, and its fit under the new slots."""
    new = rewrite(term, lambda n: dataclasses.replace(n, label=label) if isinstance(n, Module) else n)
    pairs = zip(modules_of(term), modules_of(new), strict=True)
    return new, {after.slot: fit[before.slot] for before, after in pairs}
