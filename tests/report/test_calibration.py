from __future__ import annotations

import numpy as np
import pytest

from meristem.model.report import Calibration
from meristem.report.calibration import coverage, reliability


def test_true_probabilities_show_no_more_error_than_chance() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(60):
        p = rng.beta(0.7, 0.7, 400)
        y = (rng.random(400) < p).astype(np.int64)
        found = reliability(y, np.stack([1 - p, p], axis=1))
        assert found.error is not None
        assert found.chance is not None
        inside += found.error <= found.chance
    assert 50 <= inside <= 60  # 95 % nominal


def test_overconfidence_is_seen() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(0.01, 0.99, 2000)
    y = (rng.random(2000) < p).astype(np.int64)
    sure = p**3 / (p**3 + (1 - p) ** 3)
    found = reliability(y, np.stack([1 - sure, sure], axis=1), labels=("no", "yes"))
    assert found.about == "yes"
    assert found.error is not None
    assert found.chance is not None
    assert found.error > 3 * found.chance
    low, high = found.bins[0], found.bins[-1]
    assert low.predicted < low.observed
    assert high.predicted > high.observed


def test_bins_hold_equally_many_rows_and_ties_stay_together() -> None:
    rng = np.random.default_rng(2)
    p = rng.random(1000)
    found = reliability((rng.random(1000) < p).astype(np.int64), np.stack([1 - p, p], axis=1), bins=10)
    assert [b.count for b in found.bins] == pytest.approx([100] * 10, abs=1)
    tied = np.full(1000, 0.3)
    one = reliability(np.zeros(1000, np.int64), np.stack([1 - tied, tied], axis=1))
    assert len(one.bins) == 1
    assert one.error == pytest.approx(0.3)


def test_many_classes_are_about_the_chosen_one() -> None:
    p = np.array([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2]] * 20)
    found = reliability(np.array([0, 0] * 20), p)
    assert found.about == "the chosen class"
    assert [(round(b.predicted, 6), b.observed) for b in found.bins] == [(0.7, 0.0), (0.8, 1.0)]
    assert found.error == pytest.approx((0.7 + 0.2) / 2)


def test_weights_count_in_reliability() -> None:
    p = np.full((4, 2), 0.5)
    found = reliability(np.array([1, 0, 0, 0]), p, np.array([9.0, 1.0, 1.0, 1.0]))
    assert found.error == pytest.approx(0.25)


def test_intervals_from_residuals_hold_what_they_promise() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=3000)
    found = coverage(y, np.zeros(3000))
    for item in found.coverage:
        assert item.observed == pytest.approx(item.nominal, abs=0.02)
    values = {q.level: q.value for q in found.residuals}
    assert values[0.5] == pytest.approx(0, abs=0.06)
    assert values[0.95] == pytest.approx(1.645, abs=0.15)


def test_few_or_no_rows() -> None:
    assert coverage(np.zeros(3), np.zeros(3)) == Calibration()
    assert reliability(np.zeros(0, np.int64), np.zeros((0, 3))) == Calibration()
    assert len(reliability(np.array([0]), np.array([[0.9, 0.1]])).bins) == 1
