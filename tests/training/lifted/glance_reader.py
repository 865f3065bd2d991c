"""A reader to lift with, so small that tests train it in a second, and what tests of lifting share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import meristem.primitives  # noqa: F401 - declare the vocabulary
from meristem.errors import FileFormatError, TypeMismatch
from meristem.language.kinds import Arrays, FitContext, Fitted, GradientKind, Settings, class_total
from meristem.language.terms import Term
from meristem.language.text import parse_term
from meristem.types import Type, parse_type
from meristem.values import Column, Dense


class Glance(GradientKind):
    """A linear map of the pixels."""

    name = "glance"
    doc = "a linear map of the pixels"

    def takes(self, inputs: Sequence[Type]) -> None:
        if len(inputs) != 1 or inputs[0].name not in ("image", "vector"):
            raise TypeMismatch("glance takes an image")

    def width_of_features(self, inputs: Sequence[Type], settings: Settings) -> int:
        return int(np.prod([p or 1 for p in inputs[0].params]))

    def prepare(self, inputs: Sequence[Column], settings: Settings) -> Any:
        (column,) = inputs
        assert isinstance(column, Dense)
        return np.ascontiguousarray(column.data.reshape(len(column), -1), np.float32)

    def build(self, inputs: Sequence[Type], output: Type, settings: Settings, rng: Any) -> Any:
        import torch

        width = self.width_of_features(inputs, settings)
        out = int(output.params[0] or 1) if output.name == "vector" else class_total(output)
        network = torch.nn.Linear(width, out)
        with torch.no_grad():
            network.weight.copy_(torch.from_numpy(rng.normal(0, 0.05, (out, width))))
            network.bias.zero_()
        return network

    def arrays_of(self, network: Any) -> Arrays:
        return {name: t.detach().numpy().copy() for name, t in network.state_dict().items()}

    def load_into(self, network: Any, arrays: Any) -> None:
        import torch

        network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})

    def scores(self, arrays: Any, prepared: Any, settings: Settings, output: Type) -> Any:
        return prepared @ arrays["weight"].T + arrays["bias"]

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        raise TypeMismatch("glance is trained inside of programs only")

    def validate(self, arrays: Any, inputs: Sequence[Type], output: Type) -> None:
        if set(arrays) != {"weight", "bias"}:
            raise FileFormatError("glance has a weight and a bias")


IMAGE = parse_type("image[2, 3, 1]")


def reading(image: str, classes: int = 4, label: str = "digit") -> str:
    """The text of a perception call that gives an int."""
    return f"class_number(glance{{; class[{classes}]}}@{label}({image}))"


def over_list(body: str, classes: int = 4) -> Term:
    """A program over a list of images `xs`; `DIGITS` in it are the readings as ints."""
    return parse_term(body.replace("DIGITS", f"map(x => {reading('x', classes)}, xs)"))


def random_images(count: int, rng: np.random.Generator) -> Dense:
    """Images of noise."""
    return Dense(IMAGE, rng.normal(size=(count, 2, 3, 1)))


def drawn_digits(codes: np.ndarray, rng: np.random.Generator, noise: float = 0.3) -> Dense:
    """Images [N] of classes up to 6: one pixel is bright."""
    data = rng.normal(0, noise, (len(codes), 6))
    data[np.arange(len(codes)), codes] += 1.5
    return Dense(IMAGE, data.reshape(-1, 2, 3, 1))
