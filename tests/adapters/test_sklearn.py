"""What the estimators do beyond scikit-learn's own checks."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from meristem import Budget, MeristemClassifier, MeristemRegressor, Objective
from meristem.errors import FileFormatError, InputError
from meristem.model import DataWarning

ONE = Budget(trials=1, cores=0)
TWO = Budget(trials=2, cores=0)


def mixed(rows: int = 60) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """A frame with a number, a category and missing values, and labels that depend on both."""
    rng = np.random.default_rng(0)
    size = rng.normal(size=rows)
    colour = rng.choice(["red", "green", "blue"], rows)
    label = np.where((size > 0) ^ (colour == "red"), "yes", "no")
    frame = pd.DataFrame({"size": size, "colour": colour})
    frame.loc[3, "size"] = np.nan
    frame.loc[5, "colour"] = None
    return frame, label


@pytest.fixture(scope="module")
def fitted() -> MeristemClassifier:
    frame, label = mixed()
    return MeristemClassifier(TWO).fit(frame, pd.Series(label, name="answer"))


def test_a_mixed_data_frame_keeps_its_columns(fitted: MeristemClassifier) -> None:
    frame, label = mixed()
    assert fitted.feature_names_in_.tolist() == ["size", "colour"]
    assert [f.kind for f in fitted.model_.schema.features] == ["real", "class"]
    assert fitted.model_.schema.target.name == "answer"
    assert fitted.score(frame, label) > 0.9
    assert fitted.predict(frame).dtype == fitted.classes_.dtype
    np.testing.assert_allclose(fitted.predict_proba(frame).sum(axis=1), 1)


def test_polars_and_pandas_give_the_same(fitted: MeristemClassifier) -> None:
    frame, _ = mixed()
    other = pl.DataFrame(
        {"size": frame["size"].to_numpy(), "colour": [c or None for c in frame["colour"].fillna("")]}
    )
    np.testing.assert_array_equal(fitted.predict_proba(other), fitted.predict_proba(frame))
    np.testing.assert_array_equal(fitted.predict_proba(other.lazy()), fitted.predict_proba(frame))


def test_columns_in_another_order_are_refused(fitted: MeristemClassifier) -> None:
    frame, _ = mixed()
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame[["colour", "size"]])


def test_polars_answers_and_frame_fit() -> None:
    frame, label = mixed()
    estimator = MeristemClassifier(ONE).fit(pl.from_pandas(frame), pl.Series("answer", label.tolist()))
    assert estimator.classes_.tolist() == ["no", "yes"]
    assert estimator.feature_names_in_.tolist() == ["size", "colour"]


def test_a_matrix_keeps_columns_that_look_like_identifiers() -> None:
    count = np.arange(60.0)
    X = np.column_stack([count, np.random.default_rng(0).normal(size=60)])
    estimator = MeristemRegressor(TWO).fit(X, 3 * count)
    assert [f.name for f in estimator.model_.schema.features] == ["x0", "x1"]
    assert estimator.score(X, 3 * count) > 0.99


def test_a_data_frame_is_read_as_a_table_is() -> None:
    frame, label = mixed()
    frame.insert(0, "id", np.arange(len(frame)))
    frame["name"] = [f"person {k}" for k in range(len(frame))]
    estimator = MeristemClassifier(ONE).fit(frame, label)
    assert [f.name for f in estimator.model_.schema.features] == ["size", "colour"]
    assert len(estimator.predict(frame.assign(name="somebody"))) == len(frame)  # and no warning


def test_many_notes_are_one_warning() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{k}": rng.choice(["a", "b"], 40) for k in range(9)})
    estimator = MeristemClassifier(ONE).fit(frame, frame["c0"].to_numpy())
    strange = pd.DataFrame({f"c{k}": [f"strange {k}" * 50] * 3 for k in range(9)})
    with pytest.warns(DataWarning, match="and 7 more such notes") as caught:
        estimator.predict(strange)
    assert len(caught) == 1
    assert len(str(caught[0].message)) < 400


def test_classes_come_in_the_order_of_scikit_learn() -> None:
    # A table's labels are in natural order, x2 before x10; scikit-learn sorts texts as texts.
    X = np.repeat([[0.0], [1.0], [2.0]], 10, axis=0)
    y = np.repeat(["x2", "x10", "x1"], 10)
    estimator = MeristemClassifier(TWO).fit(X, y)
    assert estimator.model_.classes_.tolist() == ["x1", "x2", "x10"]
    assert estimator.classes_.tolist() == ["x1", "x10", "x2"]
    assert estimator.predict([[0.0], [1.0], [2.0]]).tolist() == ["x2", "x10", "x1"]
    assert estimator.predict_proba([[1.0]]).argmax() == 1


@pytest.mark.parametrize("labels", [["NA", "ok"], ["a", "a "], ["", "b"], ["?", "nan"]])
def test_labels_that_a_table_reads_as_missing_or_alike_stay_apart(labels: list[str]) -> None:
    X = np.repeat([[0.0], [1.0]], 12, axis=0)
    estimator = MeristemClassifier(ONE).fit(X, np.repeat(labels, 12))
    assert estimator.classes_.tolist() == sorted(labels)
    assert estimator.predict([[0.0], [1.0]]).tolist() == labels


@pytest.mark.parametrize("labels", [[False, True], [-1, 1], [0.0, 1.0], [7, 1000]])
def test_labels_of_other_types_come_back_as_they_were(labels: list[Any]) -> None:
    X = np.repeat([[0.0], [1.0]], 12, axis=0)
    y = np.repeat(labels, 12)
    found = MeristemClassifier(ONE).fit(X, y).predict([[0.0], [1.0]])
    assert found.tolist() == labels
    assert found.dtype == y.dtype


def test_a_pickle_holds_the_bytes_of_the_model_file(fitted: MeristemClassifier) -> None:
    frame, _ = mixed()
    data = pickle.dumps(fitted)
    assert fitted.model_.to_bytes() in data
    again = pickle.loads(data)
    assert again.model_.hash == fitted.model_.hash
    np.testing.assert_array_equal(again.predict_proba(frame), fitted.predict_proba(frame))
    broken = data.replace(b"safetensors", b"safetensorz")
    assert broken != data
    with pytest.raises(FileFormatError, match="checksum"):
        pickle.loads(broken)


def test_it_works_with_pipelines_searches_and_cross_validation() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 3))
    y = X[:, 0] + 0.1 * rng.normal(size=60)
    pipeline = make_pipeline(StandardScaler(), MeristemRegressor(ONE))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.8
    search = GridSearchCV(MeristemRegressor(ONE), {"metric": ["rmse", "mae"]}, cv=2).fit(X, y)
    assert search.best_params_["metric"] in ("rmse", "mae")
    assert search.best_estimator_.model_.record["facts"]["metric"] == search.best_params_["metric"]


def test_parameters_survive_clone_and_are_checked_in_fit_only() -> None:
    estimator = MeristemClassifier("5s", metric="nonsense", random_state=3, n_jobs=1)
    assert clone(estimator).get_params() == estimator.get_params()
    with pytest.raises(InputError, match="expected a metric among"):
        estimator.fit([[0.0], [1.0]], [0, 1])
    both = MeristemClassifier(ONE, metric="auc", objective=Objective("auc"))
    with pytest.raises(InputError, match="got both"):
        both.fit([[0.0], [1.0]], [0, 1])


def test_costs_move_the_decision() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 1))
    y = np.where(X[:, 0] + rng.normal(size=80) > 0, "ill", "well")
    objective = Objective(costs={("ill", "well"): 50, ("well", "ill"): 1})
    plain = MeristemClassifier(ONE).fit(X, y)
    careful = MeristemClassifier(ONE, objective=objective).fit(X, y)
    assert (careful.predict(X) == "ill").sum() > (plain.predict(X) == "ill").sum()


def test_weights_count() -> None:
    X = np.zeros((40, 2))
    X[:, 1] = np.random.default_rng(0).normal(size=40)
    y = np.tile([0, 1], 20)
    weights = np.where(y == 1, 9.0, 1.0)
    p = MeristemClassifier(Budget(trials=0, cores=0)).fit(X, y, sample_weight=weights).predict_proba(X)
    assert p[0, 1] == pytest.approx(0.9, abs=0.05)


def test_groups_are_held_out_together() -> None:
    # Within a group the answer repeats; across groups the column says nothing. Judged by groups, nothing is learned.
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 8)
    centre = rng.permutation(30).astype(float)
    X = (centre[groups] + 0.01 * rng.normal(size=240))[:, None]
    y = rng.normal(size=30)[groups]
    alone = MeristemRegressor(TWO).fit(X, y).model_.report()
    together = MeristemRegressor(TWO).fit(X, y, groups=groups).model_.report()
    assert alone.best.score < 0.5 * alone.baseline.score
    assert together.best.score > 0.8 * together.baseline.score


def test_seeds(fitted: MeristemClassifier) -> None:
    frame, label = mixed()
    again = MeristemClassifier(TWO).fit(frame, pd.Series(label, name="answer"))
    assert again.model_.hash == fitted.model_.hash
    drawn = [
        MeristemClassifier(TWO, random_state=np.random.RandomState(5))
        .fit(frame, label)
        .model_.record["effort"]["seed"]
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1] != 0


def test_n_jobs_is_the_number_of_workers() -> None:
    assert MeristemClassifier(Budget(cores=3))._budget().cores == 3
    assert MeristemClassifier(Budget(cores=3), n_jobs=1)._budget().cores == 1
    everything = Budget().workers
    assert MeristemClassifier(n_jobs=-1)._budget().cores == everything
    assert MeristemClassifier(n_jobs=-2)._budget().cores == max(everything - 1, 1)
    assert MeristemClassifier("5s", n_jobs=2)._budget() == Budget(seconds=5, cores=2)


def test_intervals_of_a_regressor() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    y = X[:, 0] + 0.3 * rng.normal(size=120)
    estimator = MeristemRegressor(ONE).fit(X, y)
    low, high = estimator.predict_interval(X)
    assert 0.8 < np.mean((low <= y) & (y <= high)) <= 1
    wider = estimator.predict_interval(X, 0.99)
    assert np.all(wider[1] - wider[0] > high - low)


def test_clear_words_for_what_cannot_be_used() -> None:
    from scipy.sparse import csr_array

    estimator = MeristemClassifier(ONE)
    with pytest.raises(TypeError, match="parse data was passed"):
        estimator.fit(csr_array(np.eye(4)), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="Expected 2D array"):
        estimator.fit([0.0, 1.0], [0, 1])
    with pytest.raises(ValueError, match="target y is None"):
        estimator.fit([[0.0], [1.0]], None)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        estimator.fit([[0.0], [1.0], [2.0]], [0, 1])
    with pytest.raises(ValueError, match="two classes"):
        estimator.fit([[0.0], [1.0]], ["same", "same"])
    with pytest.raises(ValueError, match="Unknown label type"):
        estimator.fit([[0.0], [1.0], [2.0]], [0.1, 0.2, 0.7])
    with pytest.raises(NotFittedError):
        estimator.predict([[0.0]])
