"""What a report leaves out is said, with the reason and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import meristem as ms
from meristem.language.kinds import CUT, KINDS, FitContext, settings_of
from meristem.model import sentences
from meristem.types import class_of, vector_of
from meristem.values import Dense, Scalars


def grow(n: int = 120, width: int = 3, **more: Any) -> ms.Model:
    rng = np.random.default_rng(0)
    table = {f"x{k}": rng.normal(size=n).round(4) for k in range(width)}
    table["y"] = (2 * table["x0"] + rng.normal(0, 0.3, n)).round(4)
    more.setdefault("budget", ms.Budget(trials=2, cores=0))
    return ms.grow(ms.Task.from_table(table, target="y"), quiet=True, **more)


def why(model: ms.Model) -> dict[str, str]:
    return {item.what: item.why for item in model.report().left_out}


def test_where_all_is_there_nothing_is_said() -> None:
    assert why(grow()) == {}


def test_all_too_large() -> None:
    model = grow(
        n=600,
        sketch="boost(numbers(row))",
        budget=ms.Budget(trials=1, cores=0),
        objective=ms.Objective(max_size=8000),
    )
    words = why(model)["model"]
    assert words.startswith("none of 1 candidate could be scored (1 too large; the first: its ")
    assert words.endswith("Allow a larger model, or leave the limit out.")
    assert words in model.report().text(10_000)
    assert "the columns say little" not in model.report().text(10_000)


def test_only_the_baseline_was_finished() -> None:
    report = grow(budget=ms.Budget(seconds=0, cores=0)).report()
    (warning,) = sentences.warnings(report)
    assert warning == (
        "the model is always the mean: only the baseline was finished in the time given. Give it more seconds."
    )
    assert sentences.warnings(grow().report()) == []


def test_candidates_that_the_deadline_cut_short_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    from meristem.growth import loop

    # Fits are to end at once, but trials are not: what comes back is a boosting of one round.
    monkeypatch.setattr(loop, "_TRIAL_SHARE", -1.0)
    sketch = "boost{rate: 0.01}(numbers(row))"
    model = grow(n=2000, sketch=sketch, budget=ms.Budget(seconds=30, trials=1, cores=0))
    report = model.report()
    (candidate,) = report.candidates
    assert candidate.outcome == "scored"
    assert candidate.reason == loop.CUT_SHORT
    assert why(model)["training"].startswith("The budget cut the training of 1 of 1 part of the model short.")
    assert why(model)["training"] in report.text(10_000)
    assert candidate.reason in report.html()
    assert sentences.warnings(report) == [why(model)["training"]]

    whole = grow(n=2000, sketch=sketch, budget=ms.Budget(trials=1, cores=0))
    assert whole.report().candidates[0].reason == ""
    assert "training" not in why(whole)


def spread_out(answers: Any, predictions: Any) -> float:
    """What a constant does best at."""
    return float(np.ptp(predictions))


def test_a_baseline_that_only_cut_candidates_did_not_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    from meristem.growth import loop

    monkeypatch.setattr(loop, "_TRIAL_SHARE", -1.0)
    model = grow(
        n=2000,
        sketch="boost{rate: 0.01}(numbers(row))",
        budget=ms.Budget(seconds=30, trials=1, cores=0),
        objective=ms.Objective(metric=spread_out),
    )
    assert "nothing but the baseline was finished" in why(model)["model"]


@pytest.mark.parametrize("kind", ["boost", "logistic"])
def test_a_fit_notes_that_its_deadline_ended_it(kind: str) -> None:
    rng = np.random.default_rng(0)
    x = Dense(vector_of(3), rng.normal(size=(300, 3)))
    y = Scalars(class_of("a", "b"), (x.data[:, 0] + rng.normal(size=300) > 0).astype(np.int64))
    found = KINDS.find(kind)
    for deadline, cut in ((0.0, True), (float("inf"), False)):
        validation = ((x,), y, None)
        context = FitContext(y, np.random.default_rng(0), deadline=deadline, validation=validation)
        assert found.fit([x], settings_of(found, {}), context).notes.get(CUT, False) == cut


def test_what_is_too_slow_or_large_only_as_a_whole() -> None:
    words = why(grow(objective=ms.Objective(max_latency=1e-9)))["model"]
    assert words.startswith("what was better is not within the limits")


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (ms.Budget(trials=0, cores=0), "the budget allows no trials"),
        (ms.Budget(seconds=0, cores=0), "only the baseline was finished in the time given"),
    ],
)
def test_nothing_tried(budget: ms.Budget, words: str) -> None:
    assert why(grow(budget=budget))["model"].startswith(words)


def test_columns_that_say_nothing_are_no_limit() -> None:
    rng = np.random.default_rng(1)
    table = {"x": rng.normal(size=200), "y": rng.normal(size=200)}
    model = ms.grow(ms.Task.from_table(table, target="y"), budget=ms.Budget(trials=1, cores=0), quiet=True)
    assert "model" not in why(model)


def test_few_rows_have_no_curve() -> None:
    model = grow(n=30)
    assert why(model) == {"curve": "The rows are too few to measure how much fewer of them would do."}
    assert why(model)["curve"] in model.report().text(10_000)


def test_what_the_time_was_too_short_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from meristem.growth import explain

    # A clock that has run out when the report is made: whatever is measured then ends at once.
    monkeypatch.setattr(explain, "_seconds", lambda growth, share: -1.0)
    monkeypatch.setattr(explain, "_curve", lambda growth: None)
    model = grow(objective=ms.Objective(metric=spread), budget=ms.Budget(seconds=30, trials=2, cores=0))
    words = why(model)
    assert set(words) == {"interval", "importance", "curve"}
    for text in words.values():
        assert "the time was up before: a larger budget than 30 s leaves time for it" in text
    assert "matters most" not in model.report().text()


def spread(answers: Any, predictions: Any) -> float:
    """No mean over rows, so that its interval takes draws."""
    return float(np.median(np.abs(answers - predictions)))


def test_a_budget_counts_from_where_it_is_said_to() -> None:
    import time

    began = time.monotonic() - 2.0
    model = grow(budget=ms.Budget(seconds=4, cores=0), began=began)
    assert time.monotonic() - began < 1.05 * 4 + 0.5
    effort = model.report().effort
    assert effort.budget_seconds == 4
    assert 2 < effort.seconds < 4.5


def test_the_time_to_explain_is_in_the_time_used(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from meristem.growth import explain

    def slow(run: Any, model: Any, rng: Any) -> tuple[()]:
        time.sleep(0.6)
        return ()

    monkeypatch.setattr(explain, "_importance", slow)
    assert grow(budget=ms.Budget(trials=0, cores=0)).report().effort.seconds > 0.6


def test_what_the_end_of_time_cut_off_is_not_the_reason_where_others_ended() -> None:
    from types import SimpleNamespace

    from meristem.growth.omitted import _no_model

    ends = [("stopped", "the budget ended"), ("stopped", "the budget ended"), ("memory", "it took 9 GB")]
    told = [SimpleNamespace(outcome=outcome, reason=reason) for outcome, reason in ends]
    history = SimpleNamespace(history=SimpleNamespace(told=told))
    words = _no_model(SimpleNamespace(growth=SimpleNamespace(portfolio=history)))  # type: ignore[arg-type]
    assert words == (
        "none of 3 candidates could be scored (1 ran out of memory, 2 cut off by the end of the budget; the first: "
        "it took 9 GB). Allow it more memory, or give it fewer columns."
    )
