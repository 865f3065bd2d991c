"""A small convolutional network for images."""

from __future__ import annotations

from typing import Any

import numpy as np

from meristem.language.kinds import Integer, Real, Settings, register
from meristem.modules._images import ImageKind
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
from meristem.modules._network import EFFORT

_SHIFT = 2  # pixels of an image of 16 or more; less for smaller ones
_MOST_PLACES = 64  # that the linear layer looks at: larger images are halved until they have no more


@register
class ConvNet(ImageKind):
    """Two convolutions of stride two, batch normalization, one hidden layer; more convolutions for larger images."""

    name = "convnet"
    choices = {
        "width": Integer(16, 4, 64, log=True),
        "dropout": Real(0.3, 0.0, 0.6),
        "effort": EFFORT,
    }
    doc = "a small convolutional network"

    def trunk(self, shape: Shape, settings: Settings) -> tuple[Layer, ...]:
        width = int(settings["width"])
        layers: list[Layer] = [Convolution(width, (5, 5), (2, 2), (2, 2)), Relu()]
        out = 2 * width
        while True:
            layers.append(Convolution(out, (3, 3), (2, 2), (1, 1)))
            _, high, wide = shapes_of(layers, shape)[-1]
            if high * wide <= _MOST_PLACES:
                break
            layers += [BatchNorm(), Relu()]
            out = min(2 * out, 4 * width)
        layers += [
            BatchNorm(),
            Relu(),
            Flatten(),
            Linear(6 * width),
            Relu(),
            Dropout(float(settings["dropout"])),
        ]
        return tuple(layers)

    def augment(self, batch: Any, settings: Settings, rng: np.random.Generator) -> Any:
        return shifted(batch, rng)


def shifted(batch: Any, rng: np.random.Generator) -> Any:
    """Images [B, C, H, W] moved by up to two pixels, all by the same; what comes in repeats the border."""
    from torch.nn.functional import pad

    high, wide = batch.shape[2:]
    down, right = min(_SHIFT, high // 8), min(_SHIFT, wide // 8)
    dy, dx = (int(rng.integers(0, 2 * most + 1)) for most in (down, right))
    if not down and not right:
        return batch
    return pad(batch, (right, right, down, down), mode="replicate")[:, :, dy : dy + high, dx : dx + wide]
