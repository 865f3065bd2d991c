"""Features of a radial kernel: how near a row is to landmarks, points that stand for the training data.

The Nystroem map (Williams and Seeger 2001): with landmarks L and the kernel k(x, y) = exp(-gamma |x - y|^2), a row x
becomes k(x, L) k(L, L)^(-1/2). A linear model on these is a kernel machine.

Landmarks go into the model file, and a model file is passed on. So no landmark is a row of the data: rows are put
into groups of three or more that lie near each other (microaggregation: Domingo-Ferrer and Mateo-Sanz 2002), and the
mean of each group, blurred a little, is a landmark. Where rows are few, further landmarks are drawn around the means
with the spread of all groups together. Held against rows as landmarks on eight tables, a kernel machine alone loses
up to a few percent of its loss on tables of some hundred rows and gains where rows are many; a grown model loses
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import FitContext, Fitted, Integer, ModuleKind, Real, Settings, register
from meristem.modules._inputs import matrix, need
from meristem.types import Type, vector_of
from meristem.values import Column, Dense

_LEAST = 3  # rows that a landmark is the mean of
_MOST = 5  # and the most, where rows are many: more made the groups wide and did not help
_MOST_ROWS = 2000  # beyond `_LEAST` rows a landmark, so that all distances between them take little memory
_LEAST_GROUPS = 10  # from which on their common spread tells nothing about any one of them
_NOISE = 0.5  # of that spread, for the landmarks that are drawn; 0.4 to 1 did alike
# For the means too: two models of the same rows group them differently, and differences of exact means of nested
# groups would be rows.
_NOISE_OF_MEANS = 0.2
_TIGHT = 0.9  # share of the groups that it is taken from: the last groups are of what is left over, far apart
_SCALE_ROWS = 400  # that the scale of distances is taken from


@register
class Rbf(ModuleKind):
    """Nearness to landmarks. `width` scales the kernel: 1 is the median distance between rows."""

    name = "rbf"
    mode = "unsupervised"
    choices = {"landmarks": Integer(200, 20, 1000, log=True), "width": Real(1.0, 0.1, 10.0, log=True)}
    doc = "nearness to landmarks, which are averages of rows"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        if len(inputs) != 1 or inputs[0].name != "vector":
            raise TypeMismatch(f"rbf takes one vector, got {', '.join(map(str, inputs)) or 'nothing'}")
        return vector_of(None)

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        x = matrix(inputs)
        # As the file has them, so that the root below is the one of what `forward` will see.
        landmarks = (
            _landmarks(x, int(settings["landmarks"]), context.rng).astype(np.float32).astype(np.float64)
        )
        distances = _squared_distances(landmarks, landmarks)
        middle = _middle(x[context.rng.permutation(len(x))[:_SCALE_ROWS]])
        gamma = 1.0 / (max(middle, 1e-12) * float(settings["width"]) ** 2)
        values, vectors = np.linalg.eigh(np.exp(-gamma * distances))
        keep = values > 1e-6 * values[-1]
        root = vectors[:, keep] / np.sqrt(values[keep])
        return Fitted(
            {
                "landmarks": landmarks.astype(np.float32),
                "root": root.astype(np.float32),
                "gamma": np.array([gamma]),
            }
        )

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        landmarks, root = arrays["landmarks"].astype(np.float64), arrays["root"].astype(np.float64)
        x = matrix(inputs)
        out = np.empty((len(x), root.shape[1]))
        for start in range(0, len(x), 4096):  # in parts, so that memory stays small on many rows
            part = x[start : start + 4096]
            out[start : start + 4096] = (
                np.exp(-arrays["gamma"][0] * _squared_distances(part, landmarks)) @ root
            )
        return Dense(output, out)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        landmarks = need(arrays, "landmarks", "f", 2)
        need(arrays, "root", "f", 2, (len(landmarks), None))
        need(arrays, "gamma", "f", 1, (1,))

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        number = len(arrays["landmarks"])
        return ["1 landmark, an average of rows" if number == 1 else f"{number} landmarks, averages of rows"]


def _landmarks(x: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """At most `count` points [L, D] near which the rows of x [N, D] lie, none of them a row."""
    most = max(_LEAST * count, min(_MOST * count, _MOST_ROWS))
    rows = x[rng.permutation(len(x))[:most]] + 0.0  # -0.0 and 0.0 are one number
    # Equal rows count once: the mean of three that are equal would be that row.
    rows = rows[list({row.tobytes(): k for k, row in enumerate(rows)}.values())]
    label = _groups(rows, max(1, min(count, len(rows) // _LEAST)))
    sizes = np.bincount(label)
    means = np.zeros((len(sizes), rows.shape[1]))
    np.add.at(means, label, rows)
    means /= sizes[:, None]
    if len(means) < _LEAST_GROUPS:
        return means
    # One spread for all groups: that of one group would tell about its three rows. Weighted sums of how far the rows
    # are from their means have that spread, without a matrix of D x D.
    apart = rows - means[label]
    wide = np.bincount(label, (apart**2).sum(axis=1)) / sizes
    tight = wide <= np.quantile(wide, _TIGHT)
    apart = apart[tight[label]] / np.sqrt((sizes[tight] - 1).sum())
    more = max(count - len(means), 0)
    around = np.concatenate(
        [rng.permutation(len(means)) for _ in range(-(-more // len(means)))] or [label[:0]]
    )[:more]
    noise = rng.normal(size=(len(means) + more, len(apart))) @ apart
    return np.concatenate(
        [means + _NOISE_OF_MEANS * noise[: len(means)], means[around] + _NOISE * noise[len(means) :]]
    )


def _groups(rows: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """A number from 0 on for each row [N]: `count` groups, their sizes equal or one apart.

    Again and again the row farthest from the middle takes those nearest to it. So outliers are grouped first, while
    there still is something near them.
    """
    size, larger = divmod(len(rows), count)
    near = _squared_distances(rows.astype(np.float32), rows.astype(np.float32))
    far = ((rows - rows.mean(axis=0)) ** 2).sum(axis=1)
    label = np.full(len(rows), count - 1)
    left = np.arange(len(rows))
    for group in range(count - 1):
        first = left[np.argmax(far[left])]
        order = np.argsort(near[first, left], kind="stable")
        most = size + (group < larger)
        label[left[order[:most]]] = group
        left = np.sort(left[order[most:]])
    return label


def _middle(rows: NDArray[np.float64]) -> float:
    """The median squared distance between two different rows; 1 where there is one row only."""
    apart = _squared_distances(rows, rows)[~np.eye(len(rows), dtype=bool)]
    return float(np.median(apart)) if apart.size else 1.0


def _squared_distances(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """|x_i - y_j|^2 as [len(x), len(y)]."""
    found: NDArray[Any] = (x**2).sum(axis=1)[:, None] - 2.0 * (x @ y.T) + (y**2).sum(axis=1)
    np.maximum(found, 0.0, out=found)
    return found
