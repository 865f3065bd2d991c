"""Gradient-boosted trees: LightGBM fits them, our own tables run them."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MissingDependency
from meristem.language.kinds import (
    CUT,
    FitContext,
    Fitted,
    Integer,
    ModuleKind,
    OneOf,
    Real,
    Settings,
    register,
)
from meristem.modules._inputs import (
    answers,
    bare,
    check_numeric,
    class_count,
    field_types,
    matrix,
    need,
    prediction,
    prediction_type,
    softmax,
    width_of,
)
from meristem.modules._trees import check_trees, from_lightgbm, run_trees
from meristem.types import Type
from meristem.values import Column


@register
class Boost(ModuleKind):
    """Boosted trees on rows (missing values and categories as they are) and vectors.

    Where held-out rows are given, rounds stop when they no longer help; a refit runs the mean number of rounds of the
    folds. Without either it runs `rounds`.
    """

    name = "boost"
    mode = "supervised"
    choices = {
        "rate": Real(0.06, 0.01, 0.3, log=True),
        "leaves": Integer(15, 2, 127, log=True),
        "least": Integer(10, 1, 200, log=True),
        "columns": Real(0.8, 0.1, 1.0),
        "rows": Real(0.8, 0.4, 1.0),
        "l2": Real(1.0, 0.01, 100.0, log=True),
        # Held-out rows say when to stop, so there is nothing to tune about it.
        "rounds": Integer(600, 1, 10000, log=True, tuned=False),
        "random_splits": OneOf(False, (False, True)),
    }
    doc = "gradient-boosted trees"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        check_numeric(inputs, self.name, classes=True)
        return prediction_type(target, self.name)

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        lightgbm = import_lightgbm()
        assert context.target is not None
        output = prediction_type(context.target.type, self.name)
        k = class_count(output) if output.name == "dist" else 1
        outputs = k if k > 2 else 1
        x, y = _float32(inputs), answers(context.target)
        center = 0.0 if output.name == "dist" else float(np.average(y, weights=context.weights))
        params = _params(settings, k if output.name == "dist" else 0, len(y), x.shape[1], context)
        rounds = int(settings["rounds"])
        if context.notes:
            rounds = max(1, round(float(np.mean([n["rounds"] for n in context.notes])) * 1.05))
        categorical = _categorical(inputs)
        # Free raw data as soon as it is binned: two copies of a large table would not fit.
        options = {"free_raw_data": True, "categorical_feature": categorical, "params": params}
        data = lightgbm.Dataset(x, y - center if center else y, weight=context.weights, **options)
        booster = lightgbm.Booster(params, data)
        best, best_loss, patience = rounds, np.inf, max(20, int(8 / float(settings["rate"])) // 2)
        held: Any = None
        if context.validation is not None and not context.notes:
            held_inputs, held_target, held_weights = context.validation
            held_y = answers(held_target)
            held = lightgbm.Dataset(
                _float32(held_inputs),
                held_y - center if center else held_y,
                weight=held_weights,
                reference=data,
                params=params,
            )
            booster.add_valid(held, "held")
            best = 1
        cut = False
        for step in range(1, rounds + 1):
            if booster.update():  # no split left that helps
                best = best if held is not None else step
                break
            if held is not None:
                loss = booster.eval_valid()[0][2]
                if loss < best_loss - 1e-7 * abs(best_loss if np.isfinite(best_loss) else 0.0):
                    best, best_loss = step, loss
                elif step - best >= patience:
                    break
            if time.monotonic() > context.deadline:
                best = best if held is not None else step
                cut = step < rounds
                break
        text = booster.model_to_string(num_iteration=min(best, booster.current_iteration()))
        arrays = from_lightgbm(text, outputs)
        arrays["bias"] = np.array([center])
        return Fitted(arrays, {"rounds": int(best), **({CUT: True} if cut else {})})

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        scores = run_trees(arrays, _float32(inputs))
        if output.name != "dist":
            return prediction(scores[:, 0] + arrays["bias"][0], output)
        if class_count(output) == 1:
            return prediction(np.ones((len(scores), 1)), output)
        if scores.shape[1] == 1:
            positive = 1.0 / (1.0 + np.exp(-np.clip(scores[:, 0], -500, 500)))
            return prediction(np.stack([1.0 - positive, positive], axis=1), output)
        return prediction(softmax(scores), output)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        k = class_count(output) if output.name == "dist" else 1
        check_trees(arrays, width_of(inputs), k if k > 2 else 1)
        need(arrays, "bias", "f", 1, (1,))

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        trees, leaves = len(arrays["roots"]), int((arrays["left"] == np.arange(len(arrays["left"]))).sum())
        return [f"{trees} trees, {leaves:,} leaves"]


def import_lightgbm() -> Any:
    """LightGBM without the packages it only imports to accept their types: they cost four times its own import."""
    if "lightgbm" in sys.modules:
        return sys.modules["lightgbm"]
    hidden = [name for name in ("sklearn", "pandas", "matplotlib", "dask") if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        import lightgbm
    except ImportError:
        raise MissingDependency("lightgbm", "fitting boosted trees") from None
    finally:
        for name in hidden:
            del sys.modules[name]
    return lightgbm


def _float32(inputs: Sequence[Column]) -> NDArray[np.float32]:
    # A number beyond float32 becomes the largest one there is: its order among the others is kept.
    top = np.finfo(np.float32).max
    wide = matrix(inputs)
    return np.clip(wide, -top, top, out=wide if wide.flags.owndata else None).astype(np.float32)


def _categorical(inputs: Sequence[Column]) -> list[int]:
    """Positions of the classes with three or more labels in the matrix."""
    found: list[int] = []
    place = 0
    for column in inputs:
        if column.type.name == "row":
            for _, type_ in field_types([column.type]):
                if bare(type_).name == "class" and len(type_.params) > 2:
                    found.append(place)
                place += 1
        else:
            place += int(column.type.params[0] or 0) if column.type.name == "vector" else 1
    return found


def _params(settings: Settings, classes: int, rows: int, width: int, context: FitContext) -> dict[str, Any]:
    objective = "regression" if classes == 0 else "binary" if classes <= 2 else "multiclass"
    params = {
        "objective": objective,
        "metric": "l2" if classes == 0 else "binary_logloss" if classes <= 2 else "multi_logloss",
        "learning_rate": settings["rate"],
        "num_leaves": settings["leaves"],
        "min_data_in_leaf": min(int(settings["least"]), max(1, rows // 10)),
        "feature_fraction": settings["columns"],
        "bagging_fraction": settings["rows"],
        "bagging_freq": 1 if float(settings["rows"]) < 1 else 0,
        "lambda_l2": settings["l2"],
        "extra_trees": settings["random_splits"],
        "cat_smooth": 10,
        "max_bin": 255 if width <= 2000 else 63,
        "seed": int(context.rng.integers(2**31 - 1)),
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        "feature_pre_filter": False,
    }
    if objective == "multiclass":
        params["num_class"] = classes
    return params
