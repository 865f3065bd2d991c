"""A deeper convolutional network, for images of many classes or with few examples of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import Integer, Real, Settings, register
from meristem.modules._layers import (
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    Layer,
    Linear,
    Relu,
    Shape,
    shapes_of,
)
from meristem.modules._network import EFFORT, NetworkKind
from meristem.types import Type
from meristem.values import Column, Dense

_MOST_PLACES = 16  # that the linear layer looks at: larger images are halved until they have no more
# How much a drawing is changed while training, as standard deviations: radians, logarithms, shares of its size.
_TURN, _SIZE, _SLANT, _PLACE = 0.15, 0.12, 0.12, 0.08


@register
class DeepConv(NetworkKind):
    """Three or more convolutions of stride two and a hidden layer, each normalised; training turns and bends images.

    On 178 classes of 20 drawings each its features told new classes apart from five drawings in 91 of 100 cases,
    those of `convnet` of the same width in 87; without the hidden layer it were 76.
    """

    name = "deepconv"
    choices = {
        "width": Integer(32, 4, 64, log=True),
        "dropout": Real(0.3, 0.0, 0.6),
        "effort": EFFORT,
    }
    doc = "a deeper convolutional network"

    def takes(self, inputs: Sequence[Type]) -> None:
        if len(inputs) != 1 or inputs[0].name != "image":
            raise TypeMismatch(f"deepconv takes one image, got {', '.join(map(str, inputs)) or 'nothing'}")

    def shape_of(self, inputs: Sequence[Type], settings: Settings) -> Shape:
        high, wide, channels = (int(p or 0) for p in inputs[0].params)
        if min(high, wide, channels) < 1:
            raise TypeMismatch(f"deepconv needs images with pixels, got {inputs[0]}")
        return (channels, high, wide)

    def trunk(self, shape: Shape, settings: Settings) -> tuple[Layer, ...]:
        width = int(settings["width"])
        layers: list[Layer] = [Convolution(width, (5, 5), (2, 2), (2, 2)), BatchNorm(), Relu()]
        out = 2 * width
        while True:
            layers += [Convolution(out, (3, 3), (2, 2), (1, 1)), BatchNorm(), Relu()]
            _, high, wide = shapes_of(layers, shape)[-1]
            if high * wide <= _MOST_PLACES:
                break
            out = min(2 * out, 4 * width)
        return (
            *layers,
            Flatten(),
            Linear(6 * width),
            BatchNorm(),
            Relu(),
            Dropout(float(settings["dropout"])),
        )

    def prepare(self, inputs: Sequence[Column], settings: Settings) -> NDArray[Any]:
        (images,) = inputs
        assert isinstance(images, Dense)
        data = images.data.astype(np.float32, copy=False)
        return np.ascontiguousarray(data.transpose(0, 3, 1, 2))

    def augment(self, batch: Any, settings: Settings, rng: np.random.Generator) -> Any:
        return bent(batch, rng)


def bent(batch: Any, rng: np.random.Generator) -> Any:
    """Images [B, C, H, W], each turned, stretched, slanted and moved a little; the border goes on as it is."""
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    turn, wide, high, slant, right, down = rng.normal(size=(6, len(batch)))
    cosine, sine = np.cos(_TURN * turn), np.sin(_TURN * turn)
    wide, high = np.exp(_SIZE * wide), np.exp(_SIZE * high)
    rows = (
        (wide * cosine, _SLANT * slant - sine, _PLACE * right),
        (sine, high * cosine, _PLACE * down),
    )
    maps = torch.from_numpy(np.stack([np.stack(row, axis=1) for row in rows], axis=1).astype(np.float32))
    grid = affine_grid(maps.to(batch.device), list(batch.shape), align_corners=False)
    return grid_sample(batch, grid, padding_mode="border", align_corners=False)
