"""The whole loop on small tables: quality, reproducibility, time, faults, interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import meristem as ms
from meristem import events
from meristem.errors import InputError
from meristem.growth.clock import Clock

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


def table(n: int = 120, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x, k = rng.normal(size=n).round(4), rng.choice(["a", "b", "c"], n)
    return {
        "x": x,
        "k": k,
        "noise": rng.normal(size=n).round(4),
        "y": (2 * x + (k == "b") + rng.normal(0, 0.3, n)).round(4),
    }


def number_task(n: int = 120, seed: int = 0) -> ms.Task:
    return ms.Task.from_table(table(n, seed), target="y")


def class_task(n: int = 120, seed: int = 0) -> ms.Task:
    columns = table(n, seed)
    columns["y"] = np.where(np.asarray(columns["y"]) > 0.3, "high", "low")
    return ms.Task.from_table(columns, target="y")


def grow(task: ms.Task, **more: Any) -> ms.Model:
    more.setdefault("budget", ms.Budget(trials=3, cores=0))
    return ms.grow(task, quiet=True, **more)


@pytest.mark.parametrize("make", [number_task, class_task])
def test_beats_the_baseline_on_fresh_rows(make: Any) -> None:
    model = grow(make())
    report = model.report()
    assert report.best.score < report.baseline.score
    assert report.best.low is not None
    assert report.best.low <= report.best.score <= report.best.high
    fresh = table(400, seed=9)
    if model.kind == "regression":
        error = np.sqrt(np.mean((model.predict(fresh) - fresh["y"]) ** 2))
        assert error < 0.6
        low, high = model.predict_interval(fresh, 0.9)
        assert 0.8 < np.mean((low <= fresh["y"]) & (fresh["y"] <= high)) < 0.99
    else:
        truth = np.where(np.asarray(fresh["y"]) > 0.3, "high", "low")
        assert np.mean(model.predict(fresh) == truth) > 0.85
        np.testing.assert_allclose(model.predict_proba(fresh).sum(axis=1), 1.0)


def test_same_seed_and_trials_give_the_same_model() -> None:
    budget = {cores: ms.Budget(trials=6, cores=cores) for cores in (0, 1, 2)}
    hashes = {cores: grow(class_task(), budget=budget[cores], seed=3).hash for cores in (0, 1, 2)}
    assert len(set(hashes.values())) == 1, hashes
    assert grow(class_task(), budget=budget[0], seed=4).hash != hashes[0]


@pytest.mark.parametrize("seconds", [0, 1, 3])
def test_time_is_kept(seconds: float) -> None:
    task = ms.Task.from_table(PENGUINS, target="species")
    assert callable(ms.grow)  # its import is no part of the call
    began = time.monotonic()
    model = grow(task, budget=ms.Budget(seconds=seconds, cores=2))
    assert time.monotonic() - began < 1.05 * seconds + 0.5
    assert len(model.predict([{"island": "Dream", **dict.fromkeys(task.schema.type.fields, None)}])) == 1


def test_no_trials_give_the_constant_answer() -> None:
    model = grow(number_task(), budget=ms.Budget(trials=0, cores=0))
    assert "constant" in model.source()
    assert np.ptp(model.predict(table(10))) == 0


def test_events_tell_the_story() -> None:
    seen: list[events.Event] = []
    grow(number_task(), listeners=[seen.append])
    kinds = [type(e).__name__ for e in seen]
    assert kinds[:2] == ["Started", "Baseline"]
    assert kinds.count("CandidateEnded") == 3
    assert [e.name for e in seen if isinstance(e, events.Phase)][-1] == "done"
    assert all(a.at <= b.at for a, b in pairwise(seen))


def test_every_candidate_has_an_end_and_a_reason() -> None:
    report = grow(number_task(), budget=ms.Budget(trials=9, cores=0)).report()
    assert [c.number for c in report.candidates] == list(range(9))
    for c in report.candidates:
        assert (c.loss is not None) == (c.outcome == "scored")
        assert c.reason or c.outcome == "scored"


def test_weights_matter() -> None:
    columns = table()
    columns["w"] = np.where(np.asarray(columns["x"]) > 0, 10.0, 0.01)
    columns["y"] = np.where(np.asarray(columns["x"]) > 0, 5.0, -5.0) + np.asarray(columns["noise"]) * 0.1
    columns["x"] = np.zeros(120) + np.arange(120) % 3
    task = ms.Task.from_table(columns, target="y", weight_column="w")
    assert np.mean(grow(task).predict(columns)) > 3  # unweighted it is about 0


def test_the_metric_decides() -> None:
    model = grow(number_task(), objective=ms.Objective(metric="mae"))
    assert model.report().facts.metric == "mae"

    def asymmetric(answers: Any, predictions: Any) -> float:
        return float(np.mean(np.maximum(predictions - answers, 3 * (answers - predictions))))

    own = grow(number_task(), objective=ms.Objective(metric=asymmetric))
    assert own.report().facts.metric == "asymmetric"


def test_costs_move_the_decision() -> None:
    task = class_task()
    costs = {("high", "low"): 50.0, ("low", "high"): 1.0}
    model = grow(task, objective=ms.Objective(costs=costs))
    plain = grow(task)
    fresh = table(300, seed=5)
    assert (model.predict(fresh) == "high").sum() > (plain.predict(fresh) == "high").sum()


def test_a_metric_that_raises_is_said_at_once() -> None:
    def broken(answers: Any, predictions: Any) -> float:
        raise KeyError("oops")

    with pytest.raises(InputError, match="broken raised KeyError"):
        grow(number_task(), objective=ms.Objective(metric=broken))


def test_a_metric_that_raises_later_ends_candidates_not_the_run() -> None:
    calls = {"n": 0}

    def moody(answers: Any, predictions: Any) -> float:
        calls["n"] += 1
        if np.ptp(predictions) > 0.5:
            raise ValueError("only constants, please")
        return 1.0

    model = grow(number_task(), objective=ms.Objective(metric=moody))
    report = model.report()
    assert {c.outcome for c in report.candidates} == {"failed"}
    assert all("only constants" in c.reason for c in report.candidates)
    assert "constant" in model.source()


def test_size_is_a_limit() -> None:
    task = class_task(400)
    free = grow(task, budget=ms.Budget(trials=6, cores=0))
    small = grow(task, budget=ms.Budget(trials=6, cores=0), objective=ms.Objective(max_size="12kB"))
    assert len(small.to_bytes()) <= 12_000
    assert small.report().best.score <= 1.2 * free.report().best.score


def test_latency_is_a_limit() -> None:
    task = class_task(200)
    fast = grow(task, budget=ms.Budget(trials=4, cores=0), objective=ms.Objective(max_latency="0.05ms"))
    free = grow(task, budget=ms.Budget(trials=4, cores=0))
    assert len(fast.program.modules()) < len(free.program.modules())


def test_the_smallest_limits_leave_the_baseline() -> None:
    model = grow(class_task(), budget=ms.Budget(trials=3, cores=0), objective=ms.Objective(max_size=5000))
    assert len(model.to_bytes()) <= 5000


def test_a_size_that_nothing_meets_is_an_error_before_the_search() -> None:
    began: list[events.Event] = []
    with pytest.raises(
        InputError, match=r"at most 300 bytes \(max_size\).*takes [\d,]+, most.*allow [\d,]+ bytes"
    ) as caught:
        grow(class_task(), objective=ms.Objective(max_size=300), listeners=[began.append])
    assert not any(isinstance(e, events.CandidateStarted) for e in began)
    allowed = str(caught.value).split("allow ")[1].split(" ")[0].replace(",", "")
    model = grow(class_task(), objective=ms.Objective(max_size=int(allowed)))
    assert len(model.to_bytes()) <= int(allowed)


def test_the_least_report_counts_too() -> None:
    task = class_task()
    bare = len(replace(grow(task, budget=ms.Budget(trials=0, cores=0)), record={}).to_bytes())
    began: list[events.Event] = []
    with pytest.raises(InputError, match="the smallest one found"):
        grow(task, objective=ms.Objective(max_size=bare + 100), listeners=[began.append])
    assert not any(isinstance(e, events.CandidateStarted) for e in began)


def other_task() -> ms.Task:
    return ms.Task.from_table({f"other {k}": v for k, v in table().items()} | {"y": table()["y"]}, target="y")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (class_task, r"answers 'y' \(a number\), got one that answers 'y' \(a class\)"),
        (lambda: ms.Task.from_table(table(), target="x"), r"answers 'y' .*, got one that answers 'x'"),
        (other_task, "reads none of its columns but 'other x'"),
    ],
)
def test_a_model_of_another_task_is_no_start(make: Any, message: str) -> None:
    other = grow(make(), budget=ms.Budget(trials=1, cores=0))
    with pytest.raises(InputError, match=message):
        grow(number_task(), start=other)
    assert grow(number_task(), parts=[other], budget=ms.Budget(trials=1, cores=0)).report().candidates


def test_after_a_stop_a_second_is_left_for_the_rest() -> None:
    for limit in (600.0, float("inf")):
        clock = Clock(limit)
        assert clock.left > 500
        clock.stop()
        assert clock.stopped
        assert clock.left <= 0
        assert clock.end - time.monotonic() == pytest.approx(1.0, abs=0.05)


def test_a_stop_leaves_out_what_takes_long() -> None:
    """A thousand columns: to measure what each is worth takes far longer than a second."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {f"x{k}": rng.normal(size=1500) for k in range(1000)}
    columns["y"] = columns["x0"] + rng.normal(0, 0.1, 1500)
    task = ms.Task.from_table(columns, target="y")
    at: dict[str, float] = {}

    def tell(event: events.Event) -> None:
        if isinstance(event, events.CandidateEnded):
            signal.raise_signal(signal.SIGINT)
        if isinstance(event, events.Phase):
            at[event.name] = time.monotonic()

    began = time.monotonic()
    sketch = "ridge(impute(numbers(row)))"
    model = grow(task, sketch=sketch, budget=ms.Budget(seconds=600, cores=0), listeners=[tell])
    assert at["done"] - at["stopping"] < 3  # 1 s, and what a loaded machine adds
    assert time.monotonic() - began < 60
    assert model.report().members


def test_start_and_parts_are_tried_first() -> None:
    first = grow(number_task())
    again = grow(number_task(seed=1), start=first, budget=ms.Budget(trials=1, cores=0))
    assert again.report().candidates[0].origin == "recall"
    assert again.report().candidates[0].text in [m.text for m in first.report().members]
    own = grow(number_task(), sketch="ridge{}(impute{}(numbers(row)))", budget=ms.Budget(trials=1, cores=0))
    assert own.report().members[0].text == own.report().candidates[0].text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"budget": "soon"}, "expected a time such as 60s"),
        ({"budget": -1}, "expected a time between"),
        ({"objective": ms.Objective(metric="auc")}, "does not fit a target of numbers"),
        ({"objective": ms.Objective(costs=[[0.0]])}, "costs are for classes"),
        ({"seed": -1}, "expected a seed"),
        ({"sketch": "ridge{}(?)"}, "without holes"),
        ({"sketch": "rigde{}(impute(numbers(row)))"}, "did you mean 'ridge'"),
        ({"sketch": "ridge(numbers(row))"}, "takes one vector"),
        ({"start": "model.mst"}, "expected models"),
    ],
)
def test_bad_arguments_are_said(more: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        grow(number_task(), **more)


def test_unknown_metric_and_wrong_costs_are_said() -> None:
    with pytest.raises(InputError, match="expected a metric among"):
        ms.Objective(metric="profit")
    with pytest.raises(InputError, match="among"):
        grow(class_task(), objective=ms.Objective(costs={("high", "medium"): 1}))


SCRIPT = """
import sys, time
import meristem as ms
from meristem import events
task = ms.Task.from_table({path!r}, target="species")
print("reading done", flush=True)
def tell(event):
    if isinstance(event, events.CandidateEnded):
        print("scored", flush=True)
began = time.monotonic()
model = ms.grow(task, budget=ms.Budget(seconds=60, cores=2), quiet=True, listeners=[tell])
print("took", time.monotonic() - began, len(model.report().members), flush=True)
"""


def run_script() -> subprocess.Popen[str]:
    # No `__main__` guard: workers must not run the script again.
    code = textwrap.dedent(SCRIPT.format(path=str(PENGUINS)))
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_ctrl_c_gives_the_best_so_far() -> None:
    process = run_script()
    assert process.stdout is not None
    while "scored" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    words = out.split("took")[1].split()
    assert float(words[0]) < 30
    assert int(words[1]) >= 1


def test_a_second_ctrl_c_raises() -> None:
    process = run_script()
    assert process.stdout is not None
    while "scored" not in process.stdout.readline():
        assert process.poll() is None
    # Both signals before the loop looks again: the run had no chance to end by itself.
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    time.sleep(0.01)
    for _ in range(50):
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    _, err = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err


def test_killed_workers_are_survived() -> None:
    """Each worker is killed as soon as it has scored something, again and again."""
    killed: list[int] = []

    def kill(event: events.Event) -> None:
        if isinstance(event, events.CandidateStarted) and len(killed) < 3:
            mine = subprocess.run(
                ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True
            )
            for line in mine.stdout.splitlines():
                pid, args = line.split(None, 1)
                if "meristem.executors.worker" in args:
                    os.kill(int(pid), signal.SIGKILL)
                    killed.append(int(pid))
                    break

    model = grow(class_task(), budget=ms.Budget(trials=5, cores=2), listeners=[kill])
    assert killed
    assert len(model.report().candidates) == 5
    assert model.report().members


def test_too_little_memory_ends_candidates_not_the_run() -> None:
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {f"x{i}": rng.normal(size=3000) for i in range(200)}
    columns["y"] = columns["x0"] + rng.normal(size=3000)
    task = ms.Task.from_table(columns, target="y")
    model = grow(task, budget=ms.Budget(seconds=6, cores=1, memory="400MB"))
    assert len(model.predict(columns)) == 3000


def test_the_best_of_many_is_not_flattered() -> None:
    """Two hundred candidates that guess at random: the best looks skilled, its honest predictions do not."""
    from meristem.growth.ensemble import honest_output, select
    from meristem.language.terms import module
    from meristem.search import Candidate, Result
    from meristem.search.pipelines import ROW
    from meristem.types import class_of
    from meristem.values import Scalars

    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 120)
    target = Scalars(class_of("a", "b"), y)
    scorer = ms.Objective().scorer(target.type, ["a", "b"])
    results = []
    for k in range(200):
        p = np.clip(0.5 + rng.normal(0, 0.15, 120), 0.02, 0.98)
        output = np.stack([1 - p, p], axis=1)
        candidate = Candidate(k, module("boost", ROW, rounds=k + 1), "test")
        results.append(Result(candidate, "scored", scorer.loss(y, output), 1.0, output=output))
    chosen = select(results, y, None, scorer)
    assert chosen is not None
    assert chosen.loss < np.log(2) - 0.01
    honest = honest_output(results, target, y, None, scorer, rng, time.monotonic() + 60)
    assert honest is not None
    assert scorer.loss(y, honest) > np.log(2) - 0.01


@pytest.mark.parametrize("cores", [0, 1])
def test_a_part_that_learns_nothing_is_fitted_all_the_same(cores: int) -> None:
    # The table has no text: the bag of words has no words, and its fit no arrays.
    model = grow(
        number_task(),
        sketch="ridge(concat(impute(numbers(row)), bag_of_words(texts(row))))",
        budget=ms.Budget(trials=1, cores=cores),
    )
    again = ms.Model.from_bytes(model.to_bytes())
    assert "bag_of_words" in again.source()
    assert again.hash == model.hash
    np.testing.assert_array_equal(again.predict(table(9)), model.predict(table(9)))
