"""A learned vector for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import Integer, Settings, register
from meristem.modules._layers import Layer, Linear, Shape
from meristem.modules._network import EFFORT, NetworkKind
from meristem.types import Type, format_type
from meristem.values import Column, codes


@register
class Embedding(NetworkKind):
    """A row of a learned table for each class."""

    name = "embedding"
    choices = {"width": Integer(8, 1, 256, log=True), "effort": EFFORT}
    doc = "a learned vector for each class"

    def takes(self, inputs: Sequence[Type]) -> None:
        if len(inputs) != 1 or inputs[0].name not in ("class", "bool"):
            shown = ", ".join(format_type(t, 6) for t in inputs)
            raise TypeMismatch(f"embedding takes one class, got {shown or 'nothing'}")
        if inputs[0].name == "class" and not inputs[0].params:
            raise TypeMismatch("embedding takes a class with labels, got one without")

    def shape_of(self, inputs: Sequence[Type], settings: Settings) -> Shape:
        return (2 if inputs[0].name == "bool" else len(inputs[0].params),)

    def trunk(self, shape: Shape, settings: Settings) -> tuple[Layer, ...]:
        return (Linear(int(settings["width"])),)

    def prepare(self, inputs: Sequence[Column], settings: Settings) -> NDArray[Any]:
        # One column a class: a linear layer on it looks up a row of its weights.
        (classes,) = inputs
        block = np.zeros((len(classes), *self.shape_of([classes.type], settings)), np.float32)
        block[np.arange(len(classes)), codes(classes)] = 1.0
        return block
