"""scikit-learn estimators: `MeristemClassifier` and `MeristemRegressor`.

They follow its conventions (`clone`, `get_params`, pipelines, cross-validation, feature names). A pickled estimator
holds the bytes of the model file, which are checked again when they are read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    assert_all_finite,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from meristem.errors import InputError
from meristem.growth import grow
from meristem.model import Model
from meristem.task import Budget, Objective, Task
from meristem.task.frames import Frame, frame_of, raw_of
from meristem.task.objective import METRICS, Scorer
from meristem.task.raw import Raw
from meristem.task.task import Kind

_LARGEST_SEED = 2**31 - 1


class _MeristemEstimator(BaseEstimator):  # type: ignore[misc]
    """What the classifier and the regressor share."""

    _task_kind: ClassVar[Kind]

    def __init__(
        self,
        budget: Budget | str | float | None = "60s",
        *,
        metric: str | Callable[..., float] | None = None,
        objective: Objective | None = None,
        random_state: int | np.random.RandomState | None = 0,
        n_jobs: int | None = None,
        quiet: bool = True,
    ) -> None:
        self.budget = budget
        self.metric = metric
        self.objective = objective
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.quiet = quiet

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True  # missing values are read as missing
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        # With a time limit the result depends on how fast the machine is.
        tags.non_deterministic = not isinstance(self.budget, Budget) or self.budget.seconds is not None
        return tags

    # ------------------------------------------------------------------------------------------ fitting

    def _task(self, frame: Frame, y: NDArray[Any], sample_weight: Any, groups: Any) -> Task:
        check_consistent_length(frame, y)
        roles: dict[str, str | None] = {"weight_column": None, "group_column": None}
        names, columns = list(frame.names), {}

        def add(name: str, values: Any) -> str:
            while name in frame.places or name in columns:
                name += "_"
            columns[name] = raw_of(values, name)
            names.append(name)
            return name

        target = add(self._target_name, y)
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, frame, dtype=np.float64)
            roles["weight_column"] = add("sample_weight", weights)
        if groups is not None:
            roles["group_column"] = add("groups", column_or_1d(groups))
            check_consistent_length(frame, groups)

        def get(k: int) -> Raw:
            return columns[names[k]] if names[k] in columns else frame.column(names[k])

        whole = Frame(names, frame.rows, get)
        # Whoever passes a matrix has chosen its columns: none is taken for an identifier. A data frame is a table as it
        # came, with row numbers and names perhaps, and is read as any other.
        keep = () if self._from_frame else frame.names
        return Task.from_table(whole, target, kind=self._task_kind, keep=keep, name="table", **roles)

    def _grow(self, frame: Frame, task: Task) -> None:
        self._names = frame.names
        self.model_: Model = grow(
            task, budget=self._budget(), objective=self._objective(), seed=self._seed(), quiet=self.quiet
        )

    def _budget(self) -> Budget:
        budget = Budget.of(self.budget)
        if self.n_jobs is None:
            return budget
        # As everywhere in scikit-learn: -1 is all cores, -2 all but one.
        count = (
            self.n_jobs if self.n_jobs >= 0 else max(replace(budget, cores=None).workers + 1 + self.n_jobs, 1)
        )
        return replace(budget, cores=count)

    def _objective(self) -> Objective:
        if self.objective is None:
            return Objective(metric=self.metric)
        if self.metric is not None:
            raise InputError(
                "expected either a metric or an objective, got both; put the metric into the objective"
            )
        return self.objective

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(_LARGEST_SEED))

    # ------------------------------------------------------------------------------------------ reading tables

    def _frame(self, X: Any, reset: bool) -> Frame:
        """A matrix or a data frame, checked as scikit-learn does, with the names of the columns in training."""
        if hasattr(X, "collect") and type(X).__module__.partition(".")[0] == "polars":
            X = X.collect()
        if _is_data_frame(X):
            # Its columns keep their types: text, categories, dates. Only names and their number are checked.
            validate_data(self, X, reset=reset, skip_check_array=True)
        else:
            X = validate_data(
                self,
                X,
                reset=reset,
                dtype=None,
                ensure_all_finite="allow-nan",
                ensure_min_samples=2 if reset else 1,
            )
        if reset:
            self._from_frame = _is_data_frame(X)
        frame = frame_of(X)
        if reset:
            return frame
        return Frame(self._names, frame.rows, lambda k: frame.column(frame.names[k]))

    def _values(self, X: Any) -> Frame:
        check_is_fitted(self, "model_")
        return self._frame(X, reset=False)


def _is_data_frame(X: Any) -> bool:
    for library, name in (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table")):
        loaded = sys.modules.get(library)
        if loaded is not None and isinstance(X, getattr(loaded, name, ())):
            return True
    return False


def _answers(estimator: BaseEstimator, y: Any) -> NDArray[Any]:
    """The answers [N], checked as scikit-learn does."""
    if y is None:
        name = type(estimator).__name__
        raise ValueError(f"{name} requires y to be passed, but the target y is None: pass the answers to fit")
    answers: NDArray[Any] = column_or_1d(y, warn=True)
    assert_all_finite(answers, input_name="y", estimator_name=type(estimator).__name__)
    return answers


class MeristemClassifier(ClassifierMixin, _MeristemEstimator):  # type: ignore[misc]
    """Grows a program that tells classes apart.

    Args:
        budget: Seconds as a number or text (`"60s"`), or a `Budget`. With `Budget(trials=...)` and an integer
            `random_state` fitting repeats exactly.
        metric: What counts as good, a name or a callable (see `Objective`); None is log-loss.
        objective: An `Objective`, for costs of errors and limits on size or latency; excludes `metric`.
        random_state: Source of all randomness.
        n_jobs: Worker processes; 0 works in this one, -1 takes all cores, None what the budget says.
        quiet: Whether to show no progress.

    Attributes:
        model_: The grown `Model`: `model_.source()`, `model_.report()`, `model_.save(path)`.
        classes_: The class labels, sorted, [K].
        n_features_in_: Columns seen in `fit`.
        feature_names_in_: Their names, if `fit` got a data frame.

    >>> from meristem import Budget, MeristemClassifier
    >>> X = [[0.0], [0.1], [0.2], [0.9], [1.0], [1.1]] * 5
    >>> y = ["low", "low", "low", "high", "high", "high"] * 5
    >>> MeristemClassifier(Budget(trials=1, cores=0)).fit(X, y).predict([[0.05], [1.05]]).tolist()
    ['low', 'high']
    """

    _task_kind = "classification"

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Grow a model.

        Args:
            X: Array [N, D] or data frame; numbers, text, categories, dates, missing values.
            y: Class labels [N].
            sample_weight: How much each row counts [N].
            groups: Rows with the same value belong together [N]; candidates are judged on other groups.
        """
        self._target_name = str(getattr(y, "name", None) or "target")
        answers = _answers(self, y)
        check_classification_targets(answers)
        frame = self._frame(X, reset=True)
        self.classes_ = np.unique(answers)
        task = self._own_labels(frame, answers, sample_weight, groups)
        if task is None:
            # A table would not keep these labels apart, or take some for missing ("a" and "a ", "NA", "1"): codes
            # stand for them.
            task = self._task(frame, np.searchsorted(self.classes_, answers), sample_weight, groups)
            self._places = np.arange(len(self.classes_))
        self._grow(frame, task)
        return self

    def _own_labels(
        self, frame: Frame, answers: NDArray[Any], sample_weight: Any, groups: Any
    ) -> Task | None:
        """The task with the user's labels, for a readable model; None where they do not all survive as they are."""
        try:
            task = self._task(frame, answers, sample_weight, groups)
        except InputError:
            if len(self.classes_) < 2:
                raise
            return None
        known = {(type(value), value): k for k, value in enumerate(task.schema.target.values)}
        places = [known.get((type(label), label), -1) for label in self.classes_.tolist()]
        self._places = np.array(places, np.int64)
        return task if len(task) == frame.rows and sorted(places) == list(range(len(known))) else None

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Class probabilities [N, K], columns in the order of `classes_`."""
        frame = self._values(X)
        found: NDArray[np.float64] = self.model_.predict_proba(frame)[:, self._places]
        return found

    def predict(self, X: Any) -> NDArray[Any]:
        """Class labels [N]."""
        frame = self._values(X)
        probabilities = self.model_.predict_proba(frame)
        codes = Scorer(METRICS["accuracy"], costs=self.model_.costs).decide(probabilities)
        found: NDArray[Any] = self.classes_[np.argsort(self._places)[codes]]
        return found


class MeristemRegressor(RegressorMixin, _MeristemEstimator):  # type: ignore[misc]
    """Grows a program that predicts a number.

    Args:
        budget: Seconds as a number or text (`"60s"`), or a `Budget`. With `Budget(trials=...)` and an integer
            `random_state` fitting repeats exactly.
        metric: What counts as good, a name or a callable (see `Objective`); None is RMSE.
        objective: An `Objective`, for limits on size or latency; excludes `metric`.
        random_state: Source of all randomness.
        n_jobs: Worker processes; 0 works in this one, -1 takes all cores, None what the budget says.
        quiet: Whether to show no progress.

    Attributes:
        model_: The grown `Model`: `model_.source()`, `model_.report()`, `model_.save(path)`.
        n_features_in_: Columns seen in `fit`.
        feature_names_in_: Their names, if `fit` got a data frame.
    """

    _task_kind = "regression"

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Grow a model.

        Args:
            X: Array [N, D] or data frame; numbers, text, categories, dates, missing values.
            y: Numbers [N].
            sample_weight: How much each row counts [N].
            groups: Rows with the same value belong together [N]; candidates are judged on other groups.
        """
        self._target_name = str(getattr(y, "name", None) or "target")
        answers = _answers(self, y)
        frame = self._frame(X, reset=True)
        self._grow(frame, self._task(frame, answers.astype(np.float64), sample_weight, groups))
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Numbers [N]."""
        frame = self._values(X)
        return self.model_.predict(frame)

    def predict_interval(self, X: Any, level: float = 0.9) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds [N] and [N] between which a share `level` of the answers lies."""
        frame = self._values(X)
        return self.model_.predict_interval(frame, level)


__all__ = ["MeristemClassifier", "MeristemRegressor"]
