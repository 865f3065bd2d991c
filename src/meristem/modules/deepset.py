"""A network over a list of vectors that does not see their order: each on its own, then all added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.language.kinds import Integer, Settings, register
from meristem.modules._lists import (
    FloatArray,
    ListKind,
    Sizes,
    linear,
    linear_sizes,
    norm_items,
    norm_sizes,
    normed,
)
from meristem.modules._network import EFFORT
from meristem.types import Type


@register
class DeepSet(ListKind):
    """A small network for each vector; its results added up, and the highest of each, are the features.

    The sum is not looked at again but by the linear head, so what it learned of sums and counts holds for longer lists.

    References:
        Zaheer and others (2017), "Deep sets".
    """

    name = "deepset"
    choices = {"width": Integer(64, 4, 256, log=True), "effort": EFFORT}
    doc = "a network over a set"

    def width_of_features(self, inputs: Sequence[Type], settings: Settings) -> int:
        return 2 * int(settings["width"])

    def trunk(self, items: int, settings: Settings) -> Any:
        return _trunk_class()(items, int(settings["width"]))

    def sizes(self, items: int, settings: Settings) -> Sizes:
        width = int(settings["width"])
        return {
            **norm_sizes("norm", items),
            **linear_sizes("first", items, width),
            **linear_sizes("second", width, width),
        }

    def features(
        self,
        arrays: Mapping[str, NDArray[Any]],
        items: FloatArray,
        there: NDArray[np.bool_],
        settings: Settings,
    ) -> FloatArray:
        x = normed(arrays, "norm", items, there)
        x = linear(arrays, "trunk.second", np.maximum(linear(arrays, "trunk.first", x), 0))
        x = np.maximum(x, 0) * there[..., None]
        return np.concatenate([x.sum(axis=1), x.max(axis=1)], axis=1)


@cache
def _trunk_class() -> Any:
    import torch

    class SetTrunk(torch.nn.Module):
        def __init__(self, items: int, width: int) -> None:
            super().__init__()
            self.norm = torch.nn.BatchNorm1d(items)
            self.first = torch.nn.Linear(items, width)
            self.second = torch.nn.Linear(width, width)

        def forward(self, items: Any, there: Any) -> Any:
            x = self.first(norm_items(self.norm, items, there))
            x = torch.relu(self.second(torch.relu(x))) * there.unsqueeze(-1)
            return torch.cat([x.sum(dim=1), x.amax(dim=1)], dim=1)

    return SetTrunk
