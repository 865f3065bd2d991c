from __future__ import annotations

import numpy as np
import pytest

from meristem.model.report import CurvePoint
from meristem.report.curve import forecast

ROWS = np.array([100, 200, 400, 800, 1600])


@pytest.mark.parametrize(
    ("a", "b", "c"), [(0.1, 3.0, 0.6), (0.0, 2.0, 0.4), (0.5, 50.0, 1.2), (0.3, 0.5, 0.25)]
)
def test_a_known_curve_is_found_again(a: float, b: float, c: float) -> None:
    points = [(int(n), a + b * n**-c, 1e-5) for n in ROWS]
    found = forecast(points).forecast
    assert found is not None
    truth = a + b * 3200**-c
    assert found.at_double == pytest.approx(truth, rel=0.01)
    assert found.low <= truth <= found.high
    for n in (100, 800, 3200):  # a, b and c trade off against each other; the curve is what is determined
        assert found.a + found.b * n**-found.c == pytest.approx(a + b * n**-c, rel=0.02)
    assert found.c == pytest.approx(c, rel=0.35)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(80):
        n = 200 * 2 ** np.arange(4)
        power, kept, level = (
            np.clip(0.5 * np.exp(0.6 * rng.normal()), 0.02, 1.5),
            rng.random(),
            np.exp(rng.normal()),
        )
        true = lambda m: level * (kept + (1 - kept) * (m / n[-1]) ** -power)  # noqa: B023, E731
        noisy = true(n) * np.exp(0.03 * rng.normal(size=4))
        found = forecast([(int(r), float(v)) for r, v in zip(n, noisy, strict=True)]).forecast
        assert found is not None
        assert found.low <= found.at_double <= found.high
        hits += found.low <= true(2 * n[-1]) <= found.high
    assert 72 <= hits <= 80  # 95 % nominal


def test_repeats_at_the_same_rows_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    true = 0.2 + 3 * ROWS**-0.5
    many = [
        (int(n), float(v * np.exp(0.01 * rng.normal())))
        for n, v in zip(ROWS, true, strict=True)
        for _ in range(8)
    ]
    curve, single = forecast(many), forecast(many[::8])
    assert [p.rows for p in curve.points] == ROWS.tolist()
    assert all(p.spread is not None and p.spread > 0 for p in curve.points)
    assert curve.forecast is not None
    assert single.forecast is not None
    assert curve.forecast.high - curve.forecast.low < single.forecast.high - single.forecast.low


def test_words_when_more_rows_help() -> None:
    words = forecast([(int(n), 3 * n**-0.5) for n in ROWS], metric="log_loss").words
    assert words.startswith("Twice the rows would lower the log-loss by about ")
    share = float(words.split("about ")[1].split(" %")[0])
    assert share == pytest.approx(29, abs=5)


@pytest.mark.parametrize("losses", [[0.5, 0.5, 0.5, 0.5], [0.50, 0.51, 0.50, 0.505], [0.5, 0.52, 0.55, 0.6]])
def test_words_when_more_rows_do_not_help(losses: list[float]) -> None:
    curve = forecast(zip(ROWS.tolist(), losses, strict=False), metric="rmse")
    assert curve.words.startswith("No sign that more rows would help")


def test_words_when_the_range_is_wide() -> None:
    curve = forecast([(20, 0.9), (40, 0.3), (80, 0.5)], metric="rmse")
    assert "wide range" in curve.words


def test_a_score_of_which_more_is_better() -> None:
    points = [(int(n), -(0.95 - 2 * n**-0.5)) for n in ROWS]
    curve = forecast(points, metric="accuracy")
    assert curve.words.startswith("Twice the rows would raise the accuracy by about 0.01")
    assert curve.forecast is not None
    assert -1 <= curve.forecast.low <= curve.forecast.at_double <= curve.forecast.high
    assert curve.forecast.at_double == pytest.approx(-(0.95 - 2 * 3200**-0.5), abs=0.01)


def test_a_metric_of_the_user_may_be_negative() -> None:
    curve = forecast([(100, -5.0), (200, -6.0), (400, -6.5)], metric="profit", greater=True)
    assert curve.forecast is not None
    assert curve.forecast.at_double <= -6.0
    assert "raise the metric 'profit'" in curve.words


def test_too_few_points_or_no_error_left() -> None:
    assert forecast([]).forecast is None
    assert forecast([(10, 1.0), (20, 0.5)]).forecast is None
    assert "Too few" in forecast([(10, 1.0), (20, 0.5)]).words
    assert "no error is left" in forecast([(10, 1.0), (20, 0.5), (40, 0.0)]).words
    assert forecast([(10, float("nan")), (20, 0.5), (40, 0.4), (0, 3.0)]).forecast is None


def test_the_same_points_in_any_order_give_the_same_curve() -> None:
    points = [CurvePoint(int(n), float(3 * n**-0.5)) for n in ROWS]
    assert forecast(points) == forecast(points[::-1]) == forecast([(p.rows, p.loss) for p in points])
