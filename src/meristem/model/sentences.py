"""What a report means, in plain sentences. The text, the terminal and the page all say the same."""

from __future__ import annotations

from typing import Literal

from meristem.model.report import Calibration, Importance, Report
from meristem.model.words import clean, count, duration, joined, number, numbers_alike, percent

Level = Literal["good", "unsure", "bad"]

_FEW_ROWS = 10
"""Below this many rows, nothing is clear: by chance alone, one of two answers is right for all of nine rows once in 500
times, and tens of programs are tried."""

_METRICS = {
    "log_loss": "log-loss",
    "brier": "Brier score",
    "auc": "AUC",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "rmse": "RMSE",
    "mse": "MSE",
    "mae": "MAE",
    "rmsle": "RMSLE",
    "r2": "R²",
    "cost": "cost",
    "loss": "loss",
}
_OUTCOMES = {
    "scored": "scored",
    "failed": "failed",
    "crashed": "crashed",
    "timeout": "ran out of time",
    "memory": "ran out of memory",
    "too large": "too large",
    "stopped": "cut off by the end of the budget",
}


def metric_name(metric: str) -> str:
    """The name of a metric as a person writes it."""
    if metric == "<lambda>":
        return "metric"
    return _METRICS.get(metric) or clean(metric.replace("_", " "), 40)


def the_metric(metric: str) -> str:
    """A metric in the middle of a sentence; a function of the user's may have any name.

    >>> the_metric("log_loss"), the_metric("my"), the_metric("<lambda>")
    ('the log-loss', "the metric 'my'", 'the metric')
    """
    if metric in _METRICS or metric == "<lambda>":
        return f"the {metric_name(metric)}"
    return f"the metric {clean(metric, 40)!r}"


def outcome_name(outcome: str) -> str:
    """How a candidate ended, in words."""
    return _OUTCOMES.get(outcome) or clean(outcome.replace("_", " "), 40)


def shown(report: Report, loss: float | None) -> float | None:
    """A loss as the user knows it: where a greater score is better, the score."""
    return -loss if loss is not None and report.facts.greater_is_better else loss


def facts_line(report: Report) -> str:
    """What the task was, in a line."""
    facts = report.facts
    parts = [count(facts.rows, "row"), count(facts.columns, "column")]
    if facts.classes:
        parts.append(count(len(facts.classes), "class", "classes"))
    return ", ".join(parts)


def score_line(report: Report) -> str:
    """The best score with its interval and direction."""
    facts, best = report.facts, report.best
    if best.low is None or best.high is None:
        value, interval = number(best.score), ""
    else:
        value, low, high = numbers_alike(best.score, best.low, best.high)
        interval = f" (95 % interval: {low} to {high})"
    better = "higher" if facts.greater_is_better else "lower"
    return f"{metric_name(facts.metric)} {value}{interval}, {better} is better"


def verdict(report: Report) -> tuple[Level, str]:
    """Whether the model is worth anything: how it compares with the constant answer."""
    facts, base, best = report.facts, report.baseline, report.best
    what = clean(base.what, 100) or "the constant answer"
    near = 0.3 < abs(best.score) / abs(base.score) < 3 if base.score else False
    given = numbers_alike(base.score, best.score)[0] if near else number(base.score)
    if best.loss >= base.loss:
        if why := left_out(report, "model"):
            return "bad", f"The answer is {what} ({given}): {why}"
        return "bad", (
            f"No better than {what} ({given}): the columns say little about {clean(facts.target, 40)}, or it "
            "takes more rows or a larger budget to see it."
        )
    if best.low is not None and best.high is not None:
        reaches = best.low <= base.score if facts.greater_is_better else best.high >= base.score
        if reaches:
            return (
                "unsure",
                f"Better than {what} ({given}), but its interval reaches that far: this may be luck.",
            )
    if facts.rows < _FEW_ROWS:
        return (
            "unsure",
            f"Better than {what} ({given}), but {count(facts.rows, 'row')} prove little: this may be luck.",
        )
    if best.loss == 0 and not facts.greater_is_better:
        return "good", f"No error on rows it had not seen; {what} gives {given}."
    if base.loss > 0 and best.loss >= 0:
        gone = 1 - best.loss / base.loss
        how = "Clearly better" if best.low is not None else "Better"
        return (
            "good",
            f"{how} than {what}, which gives {given}: {percent(min(gone, 0.999))} of that loss is gone.",
        )
    how = "Clearly better" if best.low is not None else "Better"
    return "good", f"{how} than {what}, which gives {given}."


def tried(report: Report) -> str:
    """How many candidates were tried, and how they ended."""
    ends: dict[str, int] = {}
    for candidate in report.candidates:
        ends[candidate.outcome] = ends.get(candidate.outcome, 0) + 1
    effort = report.effort
    spent = duration(effort.seconds)
    if effort.budget_seconds is not None:
        spent += f" of {duration(effort.budget_seconds)}"
    text = f"{count(len(report.candidates), 'candidate')} in {spent}"
    if effort.workers > 1:
        text += f" on {effort.workers} workers"
    if len(ends) == 1 and "scored" in ends:
        return text + ": all scored."
    parts = [
        f"{ends[end]} {outcome_name(end)}" for end in sorted(ends, key=lambda e: (e != "scored", -ends[e], e))
    ]
    return f"{text}: {', '.join(parts)}." if parts else text + "."


def left_out(report: Report, what: str) -> str:
    """Why something is not in the report, and what to do about it; empty where there is nothing to say."""
    return clean(" ".join(item.why for item in report.left_out if item.what == what), 600)


def warnings(report: Report) -> list[str]:
    """What a user must know before the model is used: that it is the baseline for want of time, or half trained."""
    found = []
    if why := left_out(report, "model"):
        found.append(f"the model is {clean(report.baseline.what, 100) or 'the constant answer'}: {why}")
    return [*found, *filter(None, [left_out(report, "training")])]


def matters(item: Importance) -> bool:
    """Whether a column makes a difference that can be told from none."""
    return item.mean > 0 and (item.low is None or item.low > 0)


def importance_words(report: Report) -> str:
    """What the model looks at, in a sentence or two."""
    items = sorted(report.importance, key=lambda i: -i.mean)
    why = left_out(report, "importance")
    if not items:
        return why
    felt = [i for i in items if matters(i)]
    missed = report.facts.columns - len(items)
    among = f"the {count(len(items), 'column')} measured" if len(items) > 1 else "the only column measured"
    if not felt:
        if missed <= 0:
            return "No single column makes a difference that can be measured."
        text = f"Of {among}, none makes a difference that can be told from none."
        return f"{text} {_missed(missed, why)}"
    first = felt[0]
    name = clean(first.column, 40)
    verb = "lowers" if report.facts.greater_is_better else "raises"
    does = f"shuffling it {verb} {the_metric(report.facts.metric)} by {number(first.mean)}."
    if missed <= 0:
        text = f"{name} matters most: {does}"
    elif len(items) > 1:
        text = f"Of {among}, {name} matters most: {does}"
    else:
        text = f"{name}, {among}, matters: {does}"
    rest = [clean(i.column, 40) for i in felt[1:3]]
    if rest:
        text += f" {'Next come' if len(rest) > 1 else 'Next comes'} {joined(rest)}."
    silent = len(items) - len(felt)
    if silent:
        text += f" {count(silent, 'column')} {'makes' if silent == 1 else 'make'} no measurable difference."
    return f"{text} {_missed(missed, why)}" if missed > 0 else text


def _missed(columns: int, why: str) -> str:
    text = f"{count(columns, 'more column')} {'was' if columns == 1 else 'were'} not measured one by one."
    return f"{text} {why}" if why else text


IMPORTANCE_CAVEAT = (
    "Columns that say the same can stand in for each other, and then look less important than they are."
)


def calibration_words(calibration: Calibration) -> str:
    """Whether probabilities or intervals hold."""
    parts = []
    if calibration.error is not None:
        off = f"{number(100 * calibration.error, 2)} percentage points"
        if calibration.chance is not None and calibration.error <= calibration.chance:
            parts.append(
                f"The probabilities hold: they are off by {off} on average, no more than chance gives "
                "with so many rows."
            )
        elif calibration.error <= 0.03:
            parts.append(f"The probabilities hold well: they are off by {off} on average.")
        elif calibration.error <= 0.08:
            parts.append(f"The probabilities are roughly right: they are off by {off} on average.")
        else:
            parts.append(f"Do not take the probabilities at their word: they are off by {off} on average.")
    if calibration.coverage:
        nearest = min(calibration.coverage, key=lambda c: abs(c.nominal - 0.9))
        promised, held = percent(nearest.nominal), percent(nearest.observed)
        gap = nearest.observed - nearest.nominal
        if abs(gap) <= 0.04:
            parts.append(f"The intervals hold: those for {promised} held {held} of the answers.")
        else:
            how = "too wide" if gap > 0 else "too narrow"
            parts.append(f"The intervals are {how}: those for {promised} held {held} of the answers.")
    levels = {round(q.level, 3): q.value for q in calibration.residuals}
    if 0.25 in levels and 0.75 in levels:
        low, high = numbers_alike(levels[0.25], levels[0.75])
        parts.append(f"For half of the rows the truth lies between {low} and {high} from the answer.")
    return " ".join(parts)


def curve_words(report: Report) -> str:
    """Whether more rows would help, or why that is not known.

    The words come with the curve; they are only made safe to show.
    """
    words = clean(report.curve.words, 600) if report.curve is not None else ""
    return words or left_out(report, "curve")


def members_words(report: Report) -> str:
    """What the model is made of."""
    members = report.members
    if len(members) <= 1:
        return ""
    heaviest = max(members, key=lambda m: m.weight)
    total = sum(m.weight for m in members)
    share = f", the heaviest with {percent(heaviest.weight / total)} of the weight" if total > 0 else ""
    return f"A blend of {len(members)} programs{share}."
