"""Linear models: logistic regression for classes, ridge regression for numbers.

With `l2` left at 0 the penalty is chosen: logistic regression follows a path of penalties from strong to weak, each
started from the one before, and keeps the best on held-out rows; ridge regression takes the best exact leave-one-out
error (Allen 1974), which its singular values give for all penalties at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import CUT, FitContext, Fitted, ModuleKind, Real, Settings, register
from meristem.modules._inputs import (
    answers,
    class_count,
    matrix,
    need,
    prediction,
    prediction_type,
    softmax,
)
from meristem.types import Type
from meristem.values import Column

RealArray = NDArray[np.float64]

# Penalties per row, strong to weak. Beyond either end the fit hardly changes on standardized inputs.
_PATH = 10.0 ** np.linspace(0.5, -5.0, 12)
_NEWTON_WIDTH = 400  # parameters up to which a Newton step costs less than the L-BFGS steps it saves
_NEWTON_WORK = 2e8  # multiplications of one Newton step up to which that holds
_DIRECT_WIDTH = 3000  # up to here an eigendecomposition of D x D (or N x N) fits time and memory


def _output(inputs: Sequence[Type], target: Type | None, kind: str, gives: str) -> Type:
    """What a linear model of one vector gives: `dist` for classes, `real` for numbers."""
    if len(inputs) != 1 or inputs[0].name != "vector":
        raise TypeMismatch(f"{kind} takes one vector, got {', '.join(map(str, inputs)) or 'nothing'}")
    output = prediction_type(target, kind)
    if output.name != gives:
        raise TypeMismatch(f"{kind} predicts {'classes' if gives == 'dist' else 'numbers'}, not {target}")
    return output


@register
class Logistic(ModuleKind):
    """Multinomial logistic regression with a quadratic penalty."""

    name = "logistic"
    mode = "supervised"
    choices = {"l2": Real(0.0, 0.0, 1000.0, log=True, tuned=False)}
    doc = "logistic regression"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        return _output(inputs, target, self.name, "dist")

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        x, y = matrix(inputs), answers(context.target)
        assert context.target is not None
        k = class_count(prediction_type(context.target.type, self.name))
        weights = np.ones(len(y)) if context.weights is None else context.weights
        stated = float(settings["l2"])
        if stated > 0:
            path = np.array([stated])
        elif context.notes:
            chosen = [float(n["l2"]) for n in context.notes]
            path = np.array([float(np.exp(np.mean(np.log(chosen))))])
        elif context.validation is None:
            path = np.array([1e-3])
        else:
            path = _PATH
        columns = 1 if k == 2 else k
        theta = np.zeros((x.shape[1] + 1, columns))
        total = weights.sum()
        best: tuple[float, float, RealArray] | None = None
        worse = 0
        for l2 in path:
            theta = _fit_logistic(x, y, weights / total, k, float(l2), theta, context.deadline)
            if context.validation is None or len(path) == 1:
                best = (0.0, float(l2), theta)
            else:
                (held,), target, held_weights = context.validation
                p = _probabilities(matrix([held]), theta, k)
                picked = p[np.arange(len(p)), answers(target)]
                loss = float(np.average(-np.log(np.maximum(picked, 1e-12)), weights=held_weights))
                if best is None or loss < best[0] - 1e-9:
                    best, worse = (loss, float(l2), theta), 0
                else:
                    worse += 1
            if worse >= 2 or time.monotonic() > context.deadline:
                break
        assert best is not None
        cut = worse < 2 and time.monotonic() > context.deadline
        notes = {"l2": best[1], **({CUT: True} if cut else {})}
        return Fitted({"weights": best[2][:-1], "bias": best[2][-1]}, notes)

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        theta = np.concatenate([arrays["weights"], arrays["bias"][None, :]])
        return prediction(_probabilities(matrix(inputs), theta, class_count(output)), output)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        k = class_count(output)
        need(arrays, "weights", "f", 2, (None, 1 if k == 2 else k))
        need(arrays, "bias", "f", 1, (1 if k == 2 else k,))

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        d, k = arrays["weights"].shape
        return [f"{d} weights" + (f" for each of {k} classes" if k > 1 else "")]


def _probabilities(x: RealArray, theta: RealArray, k: int) -> RealArray:
    scores = x @ theta[:-1] + theta[-1]
    if k == 2:
        positive = 1.0 / (1.0 + np.exp(-np.clip(scores[:, 0], -500, 500)))
        return np.stack([1.0 - positive, positive], axis=1)
    if k == 1:
        return np.ones((len(x), 1))
    return softmax(scores)


def _fit_logistic(
    x: RealArray, y: NDArray[Any], weights: RealArray, k: int, l2: float, start: RealArray, deadline: float
) -> RealArray:
    """Minimise sum w * log-loss + l2 / 2 * |theta|^2 (bias free), weights summing to 1, from `start`."""
    if k == 1:
        return start
    parameters = start.size
    if parameters <= _NEWTON_WIDTH and len(x) * parameters**2 <= _NEWTON_WORK * (5 if k == 2 else 1):
        return _newton(x, y, weights, k, l2, start)
    from scipy.optimize import minimize

    one_hot = np.zeros((len(y), k))
    one_hot[np.arange(len(y)), y] = 1.0
    shape = start.shape

    def objective(flat: RealArray) -> tuple[float, RealArray]:
        theta = flat.reshape(shape)
        p = _probabilities(x, theta, k)
        loss = -float(weights @ np.log(np.maximum(p[np.arange(len(y)), y], 1e-300)))
        residual = (p - one_hot)[:, -shape[1] :] * weights[:, None]
        gradient = np.concatenate([x.T @ residual + l2 * theta[:-1], residual.sum(axis=0)[None, :]])
        return loss + 0.5 * l2 * float((theta[:-1] ** 2).sum()), gradient.ravel()

    def watch(_: RealArray) -> None:
        if time.monotonic() > deadline:
            raise StopIteration

    options = {"maxiter": 200, "ftol": 1e-9, "gtol": 1e-6}
    found = minimize(objective, start.ravel(), jac=True, method="L-BFGS-B", callback=watch, options=options)
    result: RealArray = np.asarray(found.x, np.float64).reshape(shape)
    return result


def _newton(
    x: RealArray, y: NDArray[Any], weights: RealArray, k: int, l2: float, start: RealArray
) -> RealArray:
    """Damped Newton steps. Parameters are flattened class by class: D weights and the bias of each."""
    n, d = len(x), x.shape[1] + 1
    classes = start.shape[1]
    design = np.concatenate([x, np.ones((n, 1))], axis=1)
    one_hot = np.zeros((n, k))
    one_hot[np.arange(n), y] = 1.0
    one_hot = one_hot[:, -classes:]
    penalty = np.full((d, classes), l2)
    penalty[-1] = 1e-9  # keeps the system regular where one class is alone
    theta = start.copy()

    def loss_of(candidate: RealArray) -> float:
        z = design @ candidate
        if classes == 1:
            fitted = np.logaddexp(0.0, z[:, 0]) - (z * one_hot).sum(axis=1)
        else:
            top = z.max(axis=1)
            fitted = top + np.log(np.exp(z - top[:, None]).sum(axis=1)) - (z * one_hot).sum(axis=1)
        return float(weights @ fitted) + 0.5 * float((penalty * candidate**2).sum())

    loss = loss_of(theta)
    for _ in range(30):
        p = _probabilities(x, theta, k)[:, -classes:]
        gradient = design.T @ ((p - one_hot) * weights[:, None]) + penalty * theta
        hessian = np.zeros((classes, d, classes, d))
        for a in range(classes):
            for b in range(a + 1):
                curvature = weights * p[:, a] * ((a == b) - p[:, b])
                if a == b:
                    curvature = np.maximum(curvature, 1e-10 * weights)
                block = (design * curvature[:, None]).T @ design
                hessian[a, :, b, :] = block
                hessian[b, :, a, :] = block
        square = hessian.reshape(classes * d, classes * d)
        square[np.diag_indices(classes * d)] += np.maximum(penalty.T.ravel(), 1e-9)
        step = np.linalg.solve(square, gradient.T.ravel()).reshape(classes, d).T
        rate = 1.0
        while rate > 1e-4:
            candidate = theta - rate * step
            new = loss_of(candidate)
            if new <= loss:
                break
            rate /= 2
        else:
            break
        gained, theta, loss = loss - new, candidate, new
        if gained < 1e-9:
            break
    return theta


@register
class Ridge(ModuleKind):
    """Linear regression with a quadratic penalty."""

    name = "ridge"
    mode = "supervised"
    choices = {"l2": Real(0.0, 0.0, 1000.0, log=True, tuned=False)}
    doc = "ridge regression"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        return _output(inputs, target, self.name, "real")

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        x, y = matrix(inputs), answers(context.target)
        weights = np.ones(len(y)) if context.weights is None else context.weights
        share = weights / weights.sum()
        x_mean, y_mean = share @ x, float(share @ y)
        root = np.sqrt(share)[:, None]
        a, b = root * (x - x_mean), root[:, 0] * (y - y_mean)
        stated = float(settings["l2"])
        path = np.array([stated]) if stated > 0 else _PATH
        if min(a.shape) <= _DIRECT_WIDTH:
            w, l2 = _ridge_path(a, b, path)
        else:
            from scipy.sparse.linalg import lsqr

            l2 = stated if stated > 0 else 1e-3
            w = lsqr(a, b, damp=float(np.sqrt(l2)), iter_lim=200)[0]
        return Fitted({"weights": w, "bias": np.array([y_mean - float(x_mean @ w)])}, {"l2": l2})

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        return prediction(matrix(inputs) @ arrays["weights"] + arrays["bias"][0], output)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        need(arrays, "weights", "f", 1)
        need(arrays, "bias", "f", 1, (1,))

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        return [f"{len(arrays['weights'])} weights"]


def _ridge_path(a: RealArray, b: RealArray, path: RealArray) -> tuple[RealArray, float]:
    """Weights and penalty with the least leave-one-out error. `a` [N, D], `b` [N], both centred and weighted.

    With a = U S V', the fit is U h U' b with h = s^2 / (s^2 + l2), and the error left out at row i is its residual
    over 1 - H_ii (the row of the mean adds about 1 / N to H_ii).
    """
    n, d = a.shape
    if d <= n:
        values, v = np.linalg.eigh(a.T @ a)
        keep = values > 1e-12 * max(float(values[-1]), 1e-300) if len(values) else np.zeros(0, bool)
        s2, v = values[keep], v[:, keep]
        u = (a @ v) / np.sqrt(s2)
    else:
        values, u = np.linalg.eigh(a @ a.T)
        keep = values > 1e-12 * max(float(values[-1]), 1e-300)
        s2, u = values[keep], u[:, keep]
        v = (a.T @ u) / np.sqrt(s2)
    projected = u.T @ b
    squared = u**2
    best = (np.inf, float(path[0]), np.zeros(d))
    for l2 in path:
        h = s2 / (s2 + l2)
        left_out = (b - u @ (h * projected)) / np.maximum(1.0 - squared @ h - 1.0 / n, 1e-6)
        error = float(left_out @ left_out)
        if error < best[0]:
            best = (error, float(l2), v @ (np.sqrt(s2) / (s2 + l2) * projected))
    return best[2], best[1]
