"""A small convolutional network over time, for sounds and other signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import Integer, OneOf, Real, Settings, register
from meristem.modules._layers import (
    BatchNorm,
    Convolution,
    Dropout,
    Layer,
    Linear,
    PoolAll,
    Relu,
    Shape,
    shapes_of,
)
from meristem.modules._mel import BANDS, frames_of, log_mel
from meristem.modules._network import EFFORT, NetworkKind
from meristem.types import Type
from meristem.values import Column, Dense

_TIME, _PITCH = 0.1, 2  # how far training moves a clip: a share of its length, and mel bands
_HIDDEN = 0.15  # of the time, and of the bands, that training blanks out at most (Park and others 2019)


@register
class AudioNet(NetworkKind):
    """Log-mel spectra, convolutions over time and pitch, and over all pitches; what is loudest in time counts."""

    name = "audionet"
    choices = {
        "front": OneOf("mel", ("mel", "raw")),
        "rate": Integer(8000, 100, 192_000, log=True, tuned=False),
        "width": Integer(16, 4, 64, log=True),
        "dropout": Real(0.3, 0.0, 0.6),
        "effort": EFFORT,
    }
    doc = "a small network over time"

    def takes(self, inputs: Sequence[Type]) -> None:
        if len(inputs) != 1 or inputs[0].name != "signal":
            raise TypeMismatch(f"audionet takes one signal, got {', '.join(map(str, inputs)) or 'nothing'}")

    def shape_of(self, inputs: Sequence[Type], settings: Settings) -> Shape:
        samples, channels = (int(p or 0) for p in inputs[0].params)
        if min(samples, channels) < 1:
            raise TypeMismatch(f"audionet needs signals with samples, got {inputs[0]}")
        if settings["front"] == "raw":
            return (channels, 1, samples)
        return (channels, BANDS, frames_of(samples, int(settings["rate"])))

    def trunk(self, shape: Shape, settings: Settings) -> tuple[Layer, ...]:
        width = int(settings["width"])
        if settings["front"] == "raw":
            layers: list[Layer] = [Convolution(width, (1, 9), (1, 3), (0, 4)), BatchNorm(), Relu()]
            for out in (2 * width, 2 * width, 4 * width):
                layers += [Convolution(out, (1, 5), (1, 3), (0, 2)), BatchNorm(), Relu()]
        else:
            layers = [Convolution(width, (5, 5), (2, 2), (2, 2)), BatchNorm(), Relu()]
            layers += [Convolution(2 * width, (3, 3), (2, 2), (1, 1)), BatchNorm(), Relu()]
            bands = shapes_of(layers, shape)[-1][1]
            layers += [Convolution(6 * width, (bands, 3), (1, 1), (0, 1)), BatchNorm(), Relu()]
        layers += [PoolAll(highest=True), Linear(6 * width), Relu(), Dropout(float(settings["dropout"]))]
        return tuple(layers)

    def prepare(self, inputs: Sequence[Column], settings: Settings) -> NDArray[Any]:
        (signals,) = inputs
        assert isinstance(signals, Dense)
        if settings["front"] == "raw":
            data = signals.data.astype(np.float32, copy=False)
            return np.ascontiguousarray(data.transpose(0, 2, 1))[:, :, None, :]
        return log_mel(signals.data, int(settings["rate"]))

    def augment(self, batch: Any, settings: Settings, rng: np.random.Generator) -> Any:
        if settings["front"] == "raw":
            return moved(batch * float(rng.uniform(0.7, 1.4)), round(_TIME * batch.shape[3]), 3, rng)
        # Spectra are relative to the loudest, so another gain would change nothing; other voices are higher or lower.
        batch = moved(batch, round(_TIME * batch.shape[3]), 3, rng)
        batch = moved(batch, _PITCH, 2, rng)
        return blanked(blanked(batch, 3, rng), 2, rng)


def moved(batch: Any, most: int, axis: int, rng: np.random.Generator) -> Any:
    """A batch moved along an axis by up to `most` places; zeros come in."""
    import torch

    by = int(rng.integers(-most, most + 1))
    if not by:
        return batch
    rolled = torch.roll(batch, by, axis)
    empty = rolled.narrow(axis, 0 if by > 0 else batch.shape[axis] + by, abs(by))
    empty.zero_()
    return rolled


def blanked(batch: Any, axis: int, rng: np.random.Generator) -> Any:
    """A batch with one stretch of an axis set to zero."""
    size = batch.shape[axis]
    long = int(rng.integers(0, round(_HIDDEN * size) + 1))
    if not long:
        return batch
    start = int(rng.integers(0, size - long + 1))
    batch = batch.clone()
    batch.narrow(axis, start, long).zero_()
    return batch
