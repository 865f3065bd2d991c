from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from meristem.report.intervals import UNKNOWN, bootstrap, bootstrap_mean
from meristem.task.objective import METRICS


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def covered(draw: Any, truth: float, runs: int = 200, **more: Any) -> float:
    """How often the interval of a simulated mean holds the truth."""
    source, hits = rng(1), 0
    for _ in range(runs):
        values, extra = draw(source)
        low, high = bootstrap_mean(values, rng=source, repeats=300, **extra, **more)
        assert low is not None
        assert high is not None
        hits += low <= truth <= high
    return hits / runs


def test_intervals_of_means_hold_the_truth_as_often_as_they_say() -> None:
    # 95 % nominal; 200 runs have a standard error of 1.5 points, and skew with few rows costs some.
    assert 0.91 <= covered(lambda r: (r.normal(2, 1, 25), {}), 2.0) <= 0.99
    assert 0.89 <= covered(lambda r: (r.exponential(1, 40), {}), 1.0) <= 0.99
    assert 0.91 <= covered(lambda r: ((r.random(40) < 0.9).astype(float), {}), 0.9) <= 1.0


def test_rows_of_a_group_are_drawn_together() -> None:
    def draw(r: np.random.Generator) -> tuple[NDArray[Any], dict[str, Any]]:
        groups = np.repeat(np.arange(25), 8)
        return r.normal(0, 1, 25)[groups] + r.normal(0, 0.3, 200), {"groups": groups}

    assert 0.90 <= covered(draw, 0.0) <= 0.99
    ignored = covered(lambda r: (draw(r)[0], {}), 0.0)
    assert ignored < 0.7  # what happens without the groups: seen to matter


def test_weights_count() -> None:
    values, weights = np.array([0.0] * 50 + [10.0] * 50), np.array([1.0] * 50 + [9.0] * 50)
    low, high = bootstrap_mean(values, weights=weights, rng=rng())
    assert low is not None
    assert high is not None
    assert low < 9 < high
    assert low > 7


def test_very_many_rows_are_as_good_and_quick() -> None:
    values = rng().exponential(1, 400_000)
    began = time.process_time()
    low, high = bootstrap_mean(values, rng=rng())
    assert time.process_time() - began < 2
    assert low is not None
    assert high is not None
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(400_000), rel=0.15)
    assert low < values.mean() < high


def test_the_same_seed_gives_the_same_interval() -> None:
    values = rng().normal(size=80)
    assert bootstrap_mean(values, rng=rng(3)) == bootstrap_mean(values, rng=rng(3))


def test_too_little_gives_no_interval() -> None:
    assert bootstrap_mean(np.array([1.0]), rng=rng()) == UNKNOWN
    assert bootstrap_mean(np.array([]), rng=rng()) == UNKNOWN
    assert bootstrap_mean(np.array([1.0, np.nan, 2.0]), rng=rng()) == UNKNOWN
    assert bootstrap_mean(np.arange(9.0), groups=np.zeros(9), rng=rng()) == UNKNOWN
    assert bootstrap_mean(np.array([2.0, 2.0, 2.0]), rng=rng()) == (2.0, 2.0)


def test_a_perfect_accuracy_still_has_an_interval() -> None:
    y = np.zeros(50, np.int64)

    def accuracy(a: NDArray[Any], b: NDArray[Any], w: Any) -> float:
        return float(np.mean(a == b))

    low, high = bootstrap(y, y, accuracy, rng=rng(), seconds=5)
    assert low == pytest.approx(0.929, abs=0.002)  # Wilson's for 50 of 50
    assert high == pytest.approx(1.0)


def test_a_metric_that_is_a_mean_gets_the_interval_of_its_rows() -> None:
    r = rng(5)
    y, p = r.normal(size=120), r.normal(size=120)
    rmse: Any = lambda a, b, w: float(np.sqrt(np.average((a - b) ** 2, weights=w)))  # noqa: E731
    mae: Any = lambda a, b, w: float(np.average(np.abs(a - b), weights=w))  # noqa: E731
    # The probe draws first, so the seeds differ by what it took; the ends agree within the bootstrap's noise.
    for metric, each, root in ((rmse, (y - p) ** 2, np.sqrt), (mae, np.abs(y - p), None)):
        found = bootstrap(y, p, metric, rng=rng(), seconds=20)
        direct = bootstrap_mean(each, rng=rng(), transform=root)
        assert found == pytest.approx(direct, rel=0.05)


def test_any_other_metric_gets_the_plain_bootstrap() -> None:
    r = rng(2)
    y = r.integers(0, 2, 300)
    p = np.clip(0.5 + 0.2 * (2 * y - 1) + 0.3 * r.normal(size=300), 0, 1)
    p = np.stack([1 - p, p], axis=1)

    def auc(a: NDArray[Any], b: NDArray[Any], w: NDArray[Any] | None) -> float:
        share = np.full(len(a), 1 / len(a)) if w is None else w / w.sum()
        return METRICS["auc"].function(a, b, share)

    score = auc(y, p, None)
    low, high = bootstrap(y, p, auc, rng=rng(), repeats=300, seconds=20)
    assert low is not None
    assert high is not None
    assert low < score < high
    # Hanley and McNeil's standard error of an AUC.
    q1, q2, n1 = score / (2 - score), 2 * score**2 / (1 + score), int(y.sum())
    n0 = 300 - n1
    error = np.sqrt(
        (score * (1 - score) + (n1 - 1) * (q1 - score**2) + (n0 - 1) * (q2 - score**2)) / (n1 * n0)
    )
    assert (high - low) / (2 * 1.96) == pytest.approx(error, rel=0.3)


def test_a_metric_that_fails_on_some_resamples_gives_an_interval_or_none() -> None:
    y, p = np.arange(20.0), np.arange(20.0) + 1

    def rarely(a: NDArray[Any], b: NDArray[Any], w: Any) -> float:
        if len(a) < 20:
            raise RuntimeError("too few")
        return float(np.median(b) - np.median(a) + a.max() / 100)

    def mostly(a: NDArray[Any], b: NDArray[Any], w: Any) -> float:
        if len(np.unique(a)) < 20:
            raise RuntimeError("not every row")
        return 1.0

    low, high = bootstrap(y, p, rarely, rng=rng(), repeats=100, seconds=20)
    assert low is not None
    assert high is not None
    assert bootstrap(y, p, mostly, rng=rng(), repeats=100, seconds=20) == UNKNOWN


def test_it_keeps_its_time() -> None:
    def slow(a: NDArray[Any], b: NDArray[Any], w: Any) -> float:
        time.sleep(0.01)
        return float(np.median(a - b))

    y = rng().normal(size=50)
    began = time.monotonic()
    bootstrap(y, np.zeros(50), slow, rng=rng(), seconds=0.2)
    assert time.monotonic() - began < 2


def test_a_large_sample_is_scaled_down_and_its_spread_back() -> None:
    y = rng().normal(size=100_000)
    median: Any = lambda a, b, w: float(np.median(a))  # noqa: E731
    low, high = bootstrap(y, y, median, rng=rng(), repeats=100, seconds=20)
    assert low is not None
    assert high is not None
    assert (high - low) / (2 * 1.96) == pytest.approx(1.2533 / np.sqrt(100_000), rel=0.25)


def test_a_metric_that_looks_like_a_mean_on_a_few_rows_is_none() -> None:
    """Balanced accuracy where nearly all rows are right: on a probe it equals accuracy."""
    from meristem.task.objective import METRICS, Scorer

    y = np.repeat([0, 1], [960, 40])
    said = y.copy()
    said[960:972] = 0
    p = np.eye(2)[said] * 0.98 + 0.01
    score = Scorer(METRICS["balanced_accuracy"]).score
    for seed in range(5):
        low, high = bootstrap(y, p, score, rng=np.random.default_rng(seed), seconds=5)
        assert low is not None
        assert high is not None
        assert low <= score(y, p) <= high
