"""A small network of fully connected layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import Integer, Real, Settings, register
from meristem.modules._inputs import matrix
from meristem.modules._layers import BatchNorm, Dropout, Layer, Linear, Relu, Shape
from meristem.modules._network import EFFORT, NetworkKind
from meristem.types import Type, format_type
from meristem.values import Column, Dists, Scalars

_NUMBERS = ("bool", "int", "real")


@register
class DenseNet(NetworkKind):
    """Hidden layers over vectors, numbers, classes and distributions, end to end in one row."""

    name = "dense"
    choices = {
        "hidden": Integer(1, 1, 3),
        "width": Integer(64, 4, 512, log=True),
        "dropout": Real(0.1, 0.0, 0.6),
        "effort": EFFORT,
    }
    doc = "a fully connected network"

    def takes(self, inputs: Sequence[Type]) -> None:
        wrong = [t for t in inputs if t.name not in ("vector", "class", "dist", *_NUMBERS)]
        wrong += [t for t in inputs if t.name == "dist" and t.item.name not in ("class", "bool")]
        if wrong or not inputs:
            shown = format_type(wrong[0], 6) if wrong else "nothing"
            raise TypeMismatch(
                f"dense takes vectors, numbers, classes and distributions over them, got {shown}"
            )

    def shape_of(self, inputs: Sequence[Type], settings: Settings) -> Shape:
        width = sum(_width(type_) for type_ in inputs)
        if width < 1:
            raise TypeMismatch("dense needs at least one number, got empty vectors")
        return (width,)

    def trunk(self, shape: Shape, settings: Settings) -> tuple[Layer, ...]:
        # The normalization in front gives all inputs one scale, so that they need not be standardized before.
        layers: list[Layer] = [BatchNorm()]
        for _ in range(int(settings["hidden"])):
            layers += [Linear(int(settings["width"])), Relu()]
        return (*layers, Dropout(float(settings["dropout"])))

    def prepare(self, inputs: Sequence[Column], settings: Settings) -> NDArray[Any]:
        return np.ascontiguousarray(np.concatenate([_block(column) for column in inputs], axis=1), np.float32)


def _width(type_: Type) -> int:
    if type_.name == "vector":
        return int(type_.params[0] or 0)
    if type_.name == "dist":
        return 2 if type_.item.name == "bool" else len(type_.item.params)
    return len(type_.params) if type_.name == "class" else 1


def _block(column: Column) -> NDArray[Any]:
    """One input as numbers [N, D]; a class as a column for each label."""
    if isinstance(column, Dists):
        return column.probabilities
    if isinstance(column, Scalars) and column.type.name == "class":
        block = np.zeros((len(column), len(column.type.params)), np.float32)
        block[np.arange(len(column)), column.data] = 1.0
        return block
    return matrix([column], np.float32)
