"""What the fitted kinds learn, against what is known about the data or what other code computes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import meristem.modules  # noqa: F401
from meristem.language.kinds import KINDS, FitContext, settings_of
from meristem.modules._trees import MISSING_LEFT, _walk_levels, from_lightgbm, run_trees
from meristem.modules.blend import greedy_weights, prediction_loss
from meristem.modules.boost import import_lightgbm
from meristem.types import REAL, class_of, vector_of
from meristem.values import Dense, Dists, Scalars, reals


def context(y: NDArray[np.float64], **more: object) -> FitContext:
    return FitContext(Scalars(REAL, y), np.random.default_rng(0), **more)  # type: ignore[arg-type]


def test_ridge_with_a_stated_penalty_is_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(80, 4)), rng.uniform(0.5, 2, 80)
    y = x @ [1.0, -2.0, 0.0, 3.0] + 5 + rng.normal(0, 0.1, 80)
    kind = KINDS.find("ridge")
    done = kind.fit([Dense(vector_of(4), x)], settings_of(kind, {"l2": 0.3}), context(y, weights=w))
    share = w / w.sum()
    design = np.concatenate([x, np.ones((80, 1))], axis=1)
    system = design.T @ (share[:, None] * design) + np.diag([0.3] * 4 + [0.0])
    expected = np.linalg.solve(system, design.T @ (share * y))
    np.testing.assert_allclose(done.arrays["weights"], expected[:4], rtol=1e-8)
    np.testing.assert_allclose(done.arrays["bias"][0], expected[4], rtol=1e-8)


@pytest.mark.parametrize("shape", [(60, 5), (20, 50)])
def test_ridge_chooses_the_penalty_of_least_leave_one_out_error(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=shape)
    y = x[:, 0] + rng.normal(0, 2.0, shape[0])
    kind = KINDS.find("ridge")
    column = Dense(vector_of(shape[1]), x)
    chosen = float(kind.fit([column], settings_of(kind, {}), context(y)).notes["l2"])

    def left_out(l2: float) -> float:
        total = 0.0
        for i in range(shape[0]):
            keep = np.delete(np.arange(shape[0]), i)
            # The penalty is per row, so leaving a row out changes what the sum of squares is divided by.
            part = kind.fit(
                [column.take(keep)],
                settings_of(kind, {"l2": l2 * shape[0] / (shape[0] - 1)}),
                context(y[keep]),
            )
            total += (x[i] @ part.arrays["weights"] + part.arrays["bias"][0] - y[i]) ** 2
        return float(total)

    assert left_out(chosen) < 1.05 * min(left_out(l2) for l2 in (1e-4, 1e-2, 0.1, 0.5, 3.0))


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_finds_the_penalised_optimum(classes: int) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, 3))
    scores = x @ rng.normal(size=(3, classes))
    y = np.array([rng.choice(classes, p=np.exp(s) / np.exp(s).sum()) for s in scores])
    target = Scalars(class_of(*"abc"[:classes]), y)
    kind = KINDS.find("logistic")
    done = kind.fit(
        [Dense(vector_of(3), x)],
        settings_of(kind, {"l2": 0.05}),
        FitContext(target, np.random.default_rng(0)),
    )
    w, b = done.arrays["weights"], done.arrays["bias"]
    z = x @ w + b
    p = np.stack([1 / (1 + np.exp(z[:, 0])), 1 / (1 + np.exp(-z[:, 0]))], axis=1) if classes == 2 else None
    if p is None:
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    residual = (p - np.eye(classes)[y])[:, -w.shape[1] :] / len(y)
    np.testing.assert_allclose(x.T @ residual + 0.05 * w, 0.0, atol=1e-4)
    np.testing.assert_allclose(residual.sum(axis=0), 0.0, atol=1e-4)


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_trees_run_as_lightgbm_runs_them(classes: int) -> None:
    """Random rows, rows exactly at thresholds, missing values, labels never seen."""
    lightgbm = import_lightgbm()
    rng = np.random.default_rng(3)
    x = rng.normal(size=(800, 5)).astype(np.float32)
    x[:, 3] = rng.integers(0, 40, 800)
    x[:, 4] = rng.integers(0, 6, 800)
    x[:, 1:][rng.random((800, 4)) < 0.1] = np.nan
    signal = x[:, 0] + np.nan_to_num(np.sin(x[:, 3])) + (x[:, 4] == 2)
    y = (
        signal
        if classes == 0
        else np.digitize(signal, np.linspace(-1, 1, classes - 1) if classes > 2 else [0.0])
    )
    objective = {0: "regression", 2: "binary", 4: "multiclass"}[classes]
    params = {
        "objective": objective,
        "num_leaves": 15,
        "verbosity": -1,
        "num_threads": 1,
        "min_data_in_leaf": 5,
    }
    if classes > 2:
        params["num_class"] = classes
    booster = lightgbm.train(params, lightgbm.Dataset(x, y, categorical_feature=[3, 4]), 40)
    outputs = classes if classes > 2 else 1
    arrays = from_lightgbm(booster.model_to_string(), outputs)
    fresh = rng.normal(size=(2000, 5)).astype(np.float32)
    fresh[:, 3:] = rng.integers(0, 80, (2000, 2))
    fresh[rng.random((2000, 5)) < 0.1] = np.nan
    inner = np.flatnonzero(arrays["flags"] <= MISSING_LEFT)
    for i in range(1000):
        node = int(rng.choice(inner))
        fresh[i, arrays["feature"][node]] = arrays["threshold"][node]
    expected = booster.predict(fresh, raw_score=True).reshape(2000, -1)
    np.testing.assert_allclose(run_trees(arrays, fresh), expected, atol=2e-6)  # float32 leaves
    np.testing.assert_allclose(_walk_levels(arrays, fresh, arrays["roots"], outputs), expected, atol=2e-6)
    for i in range(0, 2000, 97):
        np.testing.assert_allclose(run_trees(arrays, fresh[i : i + 1])[0], expected[i], atol=2e-6)


def test_boost_stops_early_and_a_refit_runs_as_many_rounds() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(400, 3))
    y = x[:, 0] + rng.normal(0, 1.0, 400)
    kind = KINDS.find("boost")
    column, held = Dense(vector_of(3), x[:300]), Dense(vector_of(3), x[300:])
    settings = settings_of(kind, {"rate": 0.2})
    stopped = kind.fit(
        [column], settings, context(y[:300], validation=((held,), Scalars(REAL, y[300:]), None))
    )
    rounds = stopped.notes["rounds"]
    assert rounds < 200
    assert len(stopped.arrays["roots"]) == rounds
    again = kind.fit([Dense(vector_of(3), x)], settings, context(y, notes=[{"rounds": 40}, {"rounds": 60}]))
    assert len(again.arrays["roots"]) == round(50 * 1.05)


def test_greedy_weights_ignore_noise_and_mix_what_is_complementary() -> None:
    rng = np.random.default_rng(5)
    y = rng.normal(size=500)
    noise = rng.normal(size=(2, 500))
    members = [y + noise[0], y + noise[1], rng.normal(size=500) * 5]
    weights = greedy_weights(members, prediction_loss(y, None, False), 40)
    assert weights[2] < 0.1
    assert abs(weights[0] - 0.5) < 0.15
    assert weights.sum() == pytest.approx(1.0)


def test_temperature_recovers_a_known_sharpening() -> None:
    rng = np.random.default_rng(6)
    p = rng.dirichlet(np.ones(3), size=4000)
    y = np.array([rng.choice(3, p=row) for row in p])
    sharp = p**2.5 / (p**2.5).sum(axis=1, keepdims=True)
    type_ = class_of("a", "b", "c")
    column = Dists(sharp, Scalars(type_, np.arange(3)))
    kind = KINDS.find("temperature")
    done = kind.fit([column], {}, FitContext(Scalars(type_, y), np.random.default_rng(0)))
    assert done.arrays["power"][0] == pytest.approx(1 / 2.5, rel=0.08)


def test_constant_is_the_weighted_mean() -> None:
    kind = KINDS.find("constant")
    column = Scalars(REAL, np.zeros(3))
    done = kind.fit([column], {}, context(np.array([1.0, 2.0, 6.0]), weights=np.array([2.0, 0.5, 0.5])))
    assert reals(kind.forward(done.arrays, [column], {}, REAL))[0] == pytest.approx((2 + 1 + 3) / 3)
