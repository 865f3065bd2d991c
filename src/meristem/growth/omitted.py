"""What a report leaves out, and why: a reader should not have to guess."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from meristem.growth.loop import CURVE_ROWS, CURVE_SHARES, CUT_SHORT
from meristem.model.report import Curve, LeftOut, Score
from meristem.model.sentences import outcome_name
from meristem.model.words import clean, count, duration

if TYPE_CHECKING:
    from meristem.growth.ensemble import Selection
    from meristem.growth.explain import Explained
    from meristem.growth.loop import Growth

_ADVICE = {
    "too large": "Allow a larger model, or leave the limit out.",
    "timeout": "Give it a larger budget.",
    "stopped": "Give it a larger budget.",
    "memory": "Allow it more memory, or give it fewer columns.",
}


def left_out(run: Explained, best: Score, measured: int, curve: Curve | None) -> tuple[LeftOut, ...]:
    """What is not in the report of a run.

    Args:
        run: What the report is made from.
        best: The model's score.
        measured: Columns whose importance was measured.
        curve: The learning curve, if there is one.
    """
    growth = run.growth
    found = []
    if best.low is None:
        found.append(LeftOut("interval", _no_interval(growth)))
    if run.selection is None:
        found.append(LeftOut("model", _no_model(run)))
    else:
        found.append(LeftOut("training", _cut_training(run.selection, growth)))
        columns = len(run.task.schema.features)
        if measured < columns and (not measured or _out_of_time(growth)):
            found.append(LeftOut("importance", _no_importance(growth, measured)))
        if curve is None:
            found.append(LeftOut("curve", _no_curve(growth)))
    return tuple(item for item in found if item.why)


def _out_of_time(growth: Growth) -> bool:
    return math.isfinite(growth.clock.limit)


def _larger_budget(growth: Growth) -> str:
    return f"a larger budget than {duration(growth.clock.limit)} leaves time for it."


def _no_interval(growth: Growth) -> str:
    if len(growth.y) < 2:
        return "It has no 95 % interval: that takes two rows at least."
    if _out_of_time(growth):
        return f"It has no 95 % interval, as the time was up before: {_larger_budget(growth)}"
    return (
        "It has no 95 % interval: the metric is too slow to be measured on some 40 draws of the rows, or has no "
        "value on many of them."
    )


def _no_importance(growth: Growth, measured: int) -> str:
    if not _out_of_time(growth):
        return ""
    if measured:
        return f"The time was up before: {_larger_budget(growth)}"
    return f"What the model looks at was not measured, as the time was up before: {_larger_budget(growth)}"


def _no_curve(growth: Growth) -> str:
    assert growth.selection is not None
    train = len(next(iter(growth.splits.pairs()))[0])
    if len(growth.examples) < 40 or CURVE_SHARES[1] * train < CURVE_ROWS:
        return "The rows are too few to measure how much fewer of them would do."
    what = "Whether more rows would help was not measured"
    if growth.clock.stopped:
        return f"{what}: the run was stopped before."
    if _out_of_time(growth):
        return f"{what}, as the time was up before: {_larger_budget(growth)}"
    return f"{what}: the best program cannot be fitted to a few of the rows."


def _cut_training(selection: Selection, growth: Growth) -> str:
    """That parts of the model were not trained to the end; empty where all were."""
    numbers = [m.candidate.number for m in selection.members]
    cut = sum(
        m.reason == CUT_SHORT or n in growth.cut for n, m in zip(numbers, selection.members, strict=True)
    )
    if not cut:
        return ""
    whole = count(len(numbers), "part")
    return f"The budget cut the training of {cut} of {whole} of the model short. With more seconds it may be better."


def _no_model(run: Explained) -> str:
    """Why the baseline is the answer; empty where candidates were simply no better."""
    growth = run.growth
    told = growth.portfolio.history.told
    if not told:
        if growth.budget.trials == 0:
            return "the budget allows no trials."
        if growth.clock.stopped:
            return "the run was stopped before anything was tried."
        return "only the baseline was finished in the time given. Give it more seconds."
    ends: dict[str, int] = {}
    for result in told:
        ends[result.outcome] = ends.get(result.outcome, 0) + 1
    if "scored" not in ends:
        order = sorted(ends, key=lambda end: (end == "stopped", -ends[end], end))
        parts = ", ".join(f"{ends[end]} {outcome_name(end)}" for end in order)
        reason = next((r.reason for r in told if r.outcome == order[0] and r.reason), "")
        text = f"none of {count(len(told), 'candidate')} could be scored ({parts}"
        text += f"; the first: {clean(reason, 160)})." if reason else ")."
        if set(ends) <= {"timeout", "stopped"} and not growth.clock.stopped:
            text = f"only the baseline was finished in the time given: {text}"
        return f"{text} {_ADVICE.get(order[0], 'The reasons stand with the candidates.')}"
    if all(r.reason == CUT_SHORT for r in told if r.outcome == "scored"):
        return (
            f"nothing but the baseline was finished in the time given, {count(ends['scored'], 'candidate')} cut short "
            "in training and no better than it. Give it more seconds."
        )
    if growth.selection is not None and growth.selection.loss < run.base_loss:
        return "what was better is not within the limits on size or latency. Allow more, or leave them out."
    return ""
