"""The exact likelihood of labels as a differentiable function of readings: what trains perception from answers.

With a_t(s) the probability of state s before reading t, and b_t(s) that of reaching the label from there:

    a_{t+1}(s') = sum over (s, d) with layer_t[s, d] = s' of a_t(s) p_t(d)          P = a_V(label)
    b_t(s) = sum over d of p_t(d) b_{t+1}(layer_t[s, d])
    dP / dp_t(d) = sum over s of a_t(s) b_{t+1}(layer_t[s, d])

each reading is taught by how well it explains the label given all others. The gradient is written out, since the
states of all layers at once are what autodiff would keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.training.lifted.diagrams import Diagram

if TYPE_CHECKING:
    import torch

IntArray = NDArray[np.int64]


class Likelihood:
    """P(label) under a diagram, for torch.

    Args:
        diagram: The program over V readings.
        device: Where readings will be.
    """

    def __init__(self, diagram: Diagram, device: torch.device | None = None) -> None:
        import torch

        self.diagram, self.device = diagram, device
        self.layers = [torch.from_numpy(np.ascontiguousarray(layer)).to(device) for layer in diagram.layers]
        self._places: dict[tuple[int, int], torch.Tensor] = {}

    def __call__(self, readings: Sequence[torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
        """The probabilities [N] of labels.

        Args:
            readings: For each of the V variables of the diagram the probabilities [N, K] of its values.
            labels: Shape [N], int64: numbers of answers; -1 for one that no reading gives, whose probability is 0.
        """
        result: torch.Tensor = _function().apply(self, labels, *readings)
        return result

    def place(self, t: int, rows: int) -> torch.Tensor:
        """Where layer t adds the weights of N rows, flat."""
        import torch

        found = self._places.get((t, rows))
        if found is None:
            size = self.diagram.states[t + 1]
            found = (
                self.layers[t].reshape(1, -1) + size * torch.arange(rows, device=self.device)[:, None]
            ).reshape(-1)
            if len(self._places) > 64:  # a last, shorter batch, other batch sizes
                self._places.clear()
            self._places[t, rows] = found
        return found


_made: list[Any] = []


def _function() -> Any:
    """The autograd function; made on first use, since its base is torch's."""
    if _made:
        return _made[0]
    import torch

    class LabelProbability(torch.autograd.Function):
        @staticmethod
        def forward(
            ctx: Any, owner: Likelihood, labels: torch.Tensor, *readings: torch.Tensor
        ) -> torch.Tensor:
            rows = len(labels)
            states = owner.diagram.states
            kind = readings[0].dtype if readings else torch.float32
            here = torch.ones((rows, 1), dtype=kind, device=owner.device)
            before = []
            for t, reading in enumerate(readings):
                before.append(here)
                joint = (here.unsqueeze(2) * reading.unsqueeze(1)).reshape(-1)
                there = torch.zeros(rows * states[t + 1], dtype=kind, device=owner.device)
                here = there.index_add_(0, owner.place(t, rows), joint).view(rows, states[t + 1])
            ctx.owner = owner
            ctx.save_for_backward(labels, *readings, *before)
            known = labels >= 0
            picked = here.expand(rows, states[-1]).gather(1, labels.clamp(min=0)[:, None])[:, 0]
            return torch.where(known, picked, torch.zeros_like(picked))

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> Any:
            owner: Likelihood = ctx.owner
            labels, *saved = ctx.saved_tensors
            count = len(owner.layers)
            readings, before = saved[:count], saved[count:]
            shape = (len(labels), owner.diagram.states[-1])
            after = torch.zeros(shape, dtype=gradient.dtype, device=owner.device)
            after.scatter_(1, labels.clamp(min=0)[:, None], torch.where(labels >= 0, gradient, 0.0)[:, None])
            gradients: list[torch.Tensor | None] = [None] * count
            for t in reversed(range(count)):
                onward = after[:, owner.layers[t].reshape(-1)].view(len(labels), *owner.layers[t].shape)
                gradients[t] = torch.bmm(before[t].unsqueeze(1), onward).squeeze(1)
                if t:
                    after = torch.bmm(onward, readings[t].unsqueeze(2)).squeeze(2)
            return (None, None, *gradients)

    _made.append(LabelProbability)
    return LabelProbability


__all__ = ["Likelihood"]
