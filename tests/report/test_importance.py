from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from meristem.report.importance import permutation_importance
from meristem.types import REAL
from meristem.values import Options, Rows, Scalars, reals

RealArray = NDArray[np.float64]


def table(columns: int, rows: int = 200, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    return Rows({f"c{k}": Scalars(REAL, rng.normal(size=rows)) for k in range(columns)})


def truth(rows: Rows, weights: dict[str, float]) -> RealArray:
    found: RealArray = sum((w * reals(rows.fields[n]) for n, w in weights.items()), np.zeros(len(rows)))
    return found


WEIGHTS = {"c3": 2.0, "c1": 1.0}


def test_planted_columns_come_first_and_others_are_nothing() -> None:
    rows = table(6)
    y = truth(rows, WEIGHTS)
    found = permutation_importance(
        lambda r: truth(r, WEIGHTS),
        rows,
        lambda p: float(np.mean((p - y) ** 2)),
        rng=np.random.default_rng(0),
    )
    assert [i.column for i in found[:2]] == ["c3", "c1"]
    # Shuffling a column of variance v and weight w adds 2 w^2 v to the squared error.
    for item, weight in zip(found[:2], (2.0, 1.0), strict=True):
        assert item.low is not None
        assert item.high is not None
        assert item.low < item.mean < item.high
        assert abs(item.mean - 2 * weight**2) < 0.6 * weight**2
    assert len(found) == 6
    for item in found[2:]:
        assert item.mean == 0
        assert item.low is not None
        assert item.low <= 0


def test_few_shuffles_borrow_their_spread_from_other_columns() -> None:
    rows = table(8, 100)
    weights = {f"c{k}": 1.0 + k / 4 for k in range(8)}
    y = truth(rows, weights)
    held = 0
    for seed in range(20):
        found = permutation_importance(
            lambda r: truth(r, weights),
            rows,
            lambda p: float(np.mean((p - y) ** 2)),
            rng=np.random.default_rng(seed),
            repeats=2,
        )
        for item in found:
            assert item.low is not None
            assert item.high is not None
            assert item.low > 0  # with the spread of two shuffles alone, one in ten would reach below
            # Over all shuffles the mean increase is the sum over pairs of rows.
            x = reals(rows.fields[item.column])
            expected = 2 * weights[item.column] ** 2 * float(x.var())
            held += item.low <= expected <= item.high
    assert held >= 0.85 * 160


def test_missing_values_travel_with_their_column() -> None:
    base = table(2, 50)
    present = np.arange(50) % 3 > 0
    rows = Rows({"a": Options(present, Scalars(REAL, np.arange(50.0)[present])), "b": base.fields["c1"]})
    y = present.astype(float)
    found = permutation_importance(
        lambda r: (~np.isnan(reals(r.fields["a"]))).astype(float),
        rows,
        lambda p: float(np.mean((p - y) ** 2)),
        rng=np.random.default_rng(0),
    )
    assert found[0].column == "a"
    assert found[0].mean > 0.2


def test_the_same_seed_gives_the_same_and_rows_stay_untouched() -> None:
    rows = table(4)
    before = rows.to_list()
    y = truth(rows, WEIGHTS)
    results = [
        permutation_importance(
            lambda r: truth(r, WEIGHTS),
            rows,
            lambda p: float(np.mean((p - y) ** 2)),
            rng=np.random.default_rng(7),
        )
        for _ in range(2)
    ]
    assert results[0] == results[1]
    assert rows.to_list() == before


def test_it_stops_at_the_deadline_with_what_it_has() -> None:
    rows = table(10)

    def slow(r: Rows) -> RealArray:
        time.sleep(0.01)
        return truth(r, WEIGHTS)

    y = truth(rows, WEIGHTS)
    began = time.monotonic()
    found = permutation_importance(
        slow,
        rows,
        lambda p: float(np.mean((p - y) ** 2)),
        rng=np.random.default_rng(0),
        repeats=1000,
        deadline=began + 0.6,
    )
    assert time.monotonic() - began < 2.0
    assert len(found) == 10
    assert found[0].column == "c3"
    late = permutation_importance(slow, rows, lambda p: 0.0, rng=np.random.default_rng(0), deadline=began)
    assert late == []


def test_very_many_columns_are_searched_by_blocks() -> None:
    rows = table(3000, 60)
    weights = {"c17": 1.0, "c1234": 2.0, "c2999": 0.5}
    y = truth(rows, weights)
    runs = 0

    def predict(r: Rows) -> RealArray:
        nonlocal runs
        runs += 1
        return truth(r, weights)

    found = permutation_importance(
        predict, rows, lambda p: float(np.mean((p - y) ** 2)), rng=np.random.default_rng(0), repeats=3
    )
    assert [i.column for i in found[:3]] == ["c1234", "c17", "c2999"]
    assert runs < 150  # not one for each column
    assert found[0].low is not None


def test_too_little_time_for_each_column_also_searches_by_blocks() -> None:
    rows = table(150, 40)
    weights = {"c140": 1.0}
    y = truth(rows, weights)

    def slow(r: Rows) -> RealArray:
        time.sleep(0.02)
        return truth(r, weights)

    found = permutation_importance(
        slow,
        rows,
        lambda p: float(np.mean((p - y) ** 2)),
        rng=np.random.default_rng(0),
        deadline=time.monotonic() + 2.0,
    )
    assert found[0].column == "c140"


def test_nothing_to_measure() -> None:
    assert permutation_importance(lambda r: 0, Rows({}, 5), lambda p: 0.0, rng=np.random.default_rng(0)) == []
    assert permutation_importance(lambda r: 0, table(2, 1), lambda p: 0.0, rng=np.random.default_rng(0)) == []
