"""scikit-learn's own checks of estimators."""

from __future__ import annotations

from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from meristem import Budget, MeristemClassifier, MeristemRegressor

# Seeded trials in this process: the fits repeat exactly and start no workers.
BUDGET = Budget(trials=3, cores=0)

# At most three, each with its reason.
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a row of weight 2 and the row twice give other folds, so other candidates may win"
    ),
}


def expected(estimator: Any) -> dict[str, str]:
    return EXPECTED


@parametrize_with_checks(
    [MeristemClassifier(BUDGET), MeristemRegressor(BUDGET)], expected_failed_checks=expected
)
def test_estimator(estimator: Any, check: Any) -> None:
    check(estimator)
