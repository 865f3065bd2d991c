"""What networks over one image have in common: what they take, and how they see its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import Settings
from meristem.modules._layers import Shape
from meristem.modules._network import NetworkKind
from meristem.types import Type
from meristem.values import Column, Dense


class ImageKind(NetworkKind):
    """A network over one image: pixels [N, H, W, C] as channels first, 32-bit."""

    def takes(self, inputs: Sequence[Type]) -> None:
        if len(inputs) != 1 or inputs[0].name != "image":
            shown = ", ".join(map(str, inputs)) or "nothing"
            raise TypeMismatch(f"{self.name} takes one image, got {shown}")

    def shape_of(self, inputs: Sequence[Type], settings: Settings) -> Shape:
        high, wide, channels = (int(p or 0) for p in inputs[0].params)
        if min(high, wide, channels) < 1:
            raise TypeMismatch(f"{self.name} needs images with pixels, got {inputs[0]}")
        return (channels, high, wide)

    def prepare(self, inputs: Sequence[Column], settings: Settings) -> NDArray[Any]:
        (images,) = inputs
        assert isinstance(images, Dense)
        data = images.data.astype(np.float32, copy=False)
        return np.ascontiguousarray(data.transpose(0, 3, 1, 2))


__all__ = ["ImageKind"]
