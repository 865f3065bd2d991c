"""What kinds whose network is a list of layers share: trunk and head, torch and NumPy forms, training on labels."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, TypeMismatch
from meristem.language.kinds import (
    CUT,
    Arrays,
    FitContext,
    Fitted,
    GradientKind,
    Real,
    Settings,
    class_total,
    settings_of,
)
from meristem.modules._inputs import answers, bare
from meristem.modules._layers import Layer, Linear, Shape, check_arrays, run_layers, shapes_of
from meristem.types import Type, format_type
from meristem.values import Column

BATCH = 64
SMOOTHING = 0.05  # of the labels: the right one counts for 0.95
PEAK = 4e-3
EFFORT = Real(1.0, 0.1, 4.0, log=True, tuned=False)
"""The choice `effort` of every network: it multiplies the number of training steps."""


def usual_steps(rows: int) -> int:
    """Training steps for so many labelled rows: about 270, 450, 900 and 1,800 for 100, 600, 6,000 and 60,000.

    Near what was measured to be enough for small networks on written digits.
    """
    return max(150, min(3000, round(900 * math.pow(rows / 6000, 0.3))))


class NetworkKind(GradientKind):
    """A kind whose network is a trunk of layers, which gives features, and a linear head.

    A subclass declares `choices` (`effort` among them), `takes`, `shape_of`, `trunk`, `prepare`, and where rows can be
    varied `augment`.
    """

    @abstractmethod
    def shape_of(self, inputs: Sequence[Type], settings: Settings) -> Shape:
        """The shape of a prepared row."""

    @abstractmethod
    def trunk(self, shape: Shape, settings: Settings) -> tuple[Layer, ...]:
        """The layers from a prepared row to features [d]."""

    def width_of_features(self, inputs: Sequence[Type], settings: Settings) -> int:
        shape = self._known_shape(inputs, settings)
        return shapes_of(self.trunk(shape, settings), shape)[-1][0]

    def layers(self, shape: Shape, settings: Settings, output: Type) -> tuple[Layer, ...]:
        """All layers: the trunk, and a head for classes or a number."""
        trunk = self.trunk(shape, settings)
        if output.name == "vector":
            return trunk
        return (*trunk, Linear(1 if output.name in ("real", "int") else class_total(output)))

    def _known_shape(self, inputs: Sequence[Type], settings: Settings) -> Shape:
        if any(None in type_.params for type_ in inputs if type_.name in ("image", "signal", "vector")):
            shown = ", ".join(format_type(t, 6) for t in inputs)
            raise TypeMismatch(f"{self.name} needs all dimensions of its input, got {shown}")
        return self.shape_of(inputs, settings)

    # ------------------------------------------------------------------------------------------ torch

    def build(
        self, inputs: Sequence[Type], output: Type, settings: Settings, rng: np.random.Generator
    ) -> Any:
        from meristem.modules._torch import network_of, seed_from

        self.takes(inputs)
        shape = self._known_shape(inputs, settings)
        return network_of(self.layers(shape, settings, output), shape, seed_from(rng))

    def arrays_of(self, network: Any) -> Arrays:
        from meristem.modules._torch import arrays_of

        return arrays_of(network)

    def load_into(self, network: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
        from meristem.modules._torch import load_into

        load_into(network, arrays)

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        def head_of(prepared: NDArray[Any]) -> str:
            return str(len(self.layers(prepared.shape[1:], settings, Type("real"))) - 1)

        return fit_network(self, inputs, settings, context, head_of)

    # ------------------------------------------------------------------------------------------ NumPy

    def scores(
        self, arrays: Mapping[str, NDArray[Any]], prepared: NDArray[Any], settings: Settings, output: Type
    ) -> NDArray[Any]:
        return run_layers(self.layers(prepared.shape[1:], settings, output), arrays, prepared)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        self.validate_for(arrays, inputs, output, settings_of(self, {}))

    def validate_for(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type, settings: Settings
    ) -> None:
        try:
            shape = self._known_shape(inputs, settings)
            layers = self.layers(shape, settings, output)
            shapes = shapes_of(layers, shape)
        except TypeMismatch as error:
            raise FileFormatError(str(error)) from None
        if output.name == "vector" and output.params[0] not in (None, shapes[-1][0]):
            raise FileFormatError(f"{self.name} gives vectors of {shapes[-1][0]}, not {output}")
        check_arrays(arrays, layers, shape)

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        return [f"{self.doc} of {sum(array.size for array in arrays.values()):,} numbers"]


def fit_network(
    kind: GradientKind,
    inputs: Sequence[Column],
    settings: Settings,
    context: FitContext,
    head_of: Callable[[NDArray[Any]], str],
) -> Fitted:
    """Train a network on answers: classes with smoothed labels, numbers as so many spreads from their mean.

    Args:
        kind: What is trained.
        inputs: Columns of N rows.
        settings: Every choice, `effort` among them.
        context: The answers, weights, deadline and randomness.
        head_of: The name of the layer that gives a number, as it begins those of its arrays, from prepared rows.
    """
    from meristem.modules._torch import calm_torch, device, optimise, seed_from

    y = answers(context.target)
    assert context.target is not None
    output = bare(context.target.type)
    x = kind.prepare(inputs, settings)
    if not len(x):
        raise TypeMismatch(f"{kind.name} learns from examples, got none")
    numbers = output.name not in ("class", "bool")
    middle, spread = (float(y.mean()), float(y.std()) or 1.0) if numbers else (0.0, 1.0)
    network = kind.build([c.type for c in inputs], Type("real") if numbers else output, settings, context.rng)
    steps = max(1, round(float(settings["effort"]) * usual_steps(len(x))))
    with calm_torch(seed_from(context.rng)) as torch:
        place = device()
        network.to(place)
        rows = torch.from_numpy(x).to(place)
        wanted = torch.from_numpy(((y - middle) / spread).astype(np.float32) if numbers else y).to(place)
        weights = None
        if context.weights is not None:
            weights = torch.from_numpy(context.weights.astype(np.float32)).to(place)
        order = batches(len(x), min(BATCH, max(len(x), 2)), context.rng)

        def loss_of(step: int) -> Any:
            chosen = torch.from_numpy(next(order)).to(place)
            scores = network(kind.augment(rows[chosen], settings, context.rng))
            if numbers:
                each = (scores[:, 0] - wanted[chosen]) ** 2
            else:
                each = torch.nn.functional.cross_entropy(
                    scores, wanted[chosen], reduction="none", label_smoothing=SMOOTHING
                )
            return each.mean() if weights is None else (each * weights[chosen]).mean()

        whole = optimise(network, loss_of, steps, peak=PEAK, deadline=context.deadline)
        arrays = kind.arrays_of(network)
    if numbers:  # the head gives the answer itself, not how far it is from the middle
        head = head_of(x)
        arrays[f"{head}.weight"] = arrays[f"{head}.weight"] * np.float32(spread)
        arrays[f"{head}.bias"] = arrays[f"{head}.bias"] * np.float32(spread) + np.float32(middle)
    return Fitted(arrays, {"rows": len(x), **({} if whole else {CUT: True})})


def batches(rows: int, size: int, rng: np.random.Generator) -> Any:
    """Positions of rows, batch after batch without end: every row comes once before one comes again."""
    waiting = np.zeros(0, np.int64)
    while True:
        while len(waiting) < size:
            waiting = np.concatenate([waiting, rng.permutation(rows)])
        yield waiting[:size]
        waiting = waiting[size:]


__all__ = ["BATCH", "EFFORT", "PEAK", "SMOOTHING", "NetworkKind", "batches", "fit_network", "usual_steps"]
