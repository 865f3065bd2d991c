"""A recurrent network over a list of vectors: a fold over a gated cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.language.kinds import Integer, Settings, register
from meristem.modules._lists import FloatArray, ListKind, Sizes, norm_items, norm_sizes, normed
from meristem.modules._network import EFFORT
from meristem.types import Type


@register
class Recurrent(ListKind):
    """A gated recurrent unit goes through the list; its last state are the features, zeros for an empty list.

    References:
        Cho and others (2014), "Learning phrase representations using RNN encoder-decoder".
    """

    name = "recurrent"
    choices = {"width": Integer(64, 4, 256, log=True), "effort": EFFORT}
    doc = "a recurrent network"

    def width_of_features(self, inputs: Sequence[Type], settings: Settings) -> int:
        return int(settings["width"])

    def trunk(self, items: int, settings: Settings) -> Any:
        return _trunk_class()(items, int(settings["width"]))

    def sizes(self, items: int, settings: Settings) -> Sizes:
        width = int(settings["width"])
        return {
            **norm_sizes("norm", items),
            "cell.weight_ih_l0": (3 * width, items),
            "cell.weight_hh_l0": (3 * width, width),
            "cell.bias_ih_l0": (3 * width,),
            "cell.bias_hh_l0": (3 * width,),
        }

    def features(
        self,
        arrays: Mapping[str, NDArray[Any]],
        items: FloatArray,
        there: NDArray[np.bool_],
        settings: Settings,
    ) -> FloatArray:
        x = normed(arrays, "norm", items, there)
        inside, state, inside_bias, state_bias = (
            np.asarray(arrays[f"trunk.cell.{name}_l0"], np.float32)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        width = state.shape[1]
        h = np.zeros((len(x), width), np.float32)
        given = x @ inside.T + inside_bias
        for t in range(x.shape[1]):
            rows = np.flatnonzero(there[:, t])
            if not len(rows):
                break
            before = h[rows]
            own, from_state = given[rows, t], before @ state.T + state_bias
            reset = _sigmoid(own[:, :width] + from_state[:, :width])
            keep = _sigmoid(own[:, width : 2 * width] + from_state[:, width : 2 * width])
            new = np.tanh(own[:, 2 * width :] + reset * from_state[:, 2 * width :])
            h[rows] = (1 - keep) * new + keep * before
        return h


def _sigmoid(x: FloatArray) -> FloatArray:
    found: FloatArray = 0.5 * (1 + np.tanh(0.5 * x))  # never overflows
    return found


@cache
def _trunk_class() -> Any:
    import torch

    class RecurrentTrunk(torch.nn.Module):
        def __init__(self, items: int, width: int) -> None:
            super().__init__()
            self.norm = torch.nn.BatchNorm1d(items)
            self.cell = torch.nn.GRU(items, width, batch_first=True)

        def forward(self, items: Any, there: Any) -> Any:
            states, _ = self.cell(norm_items(self.norm, items, there))
            lengths = there.sum(dim=1)
            last = states[torch.arange(len(states), device=states.device), (lengths - 1).clamp(min=0)]
            return last * (lengths > 0).unsqueeze(1)

    return RecurrentTrunk
