"""Likelihoods where no diagram is small enough: the best readings exactly, the rest by sampling.

The k most probable joint readings are run through the program. What they leave of the probability is the *lost mass*;
readings drawn from it estimate its share, without bias:

    P(y)  =  sum over the k best r with f(r) = y of p(r)   +   E over r ~ p of [r is none of these and f(r) = y]

The gradient of the second term is the score function's, E[hit * grad log p(r)]. Early in training nearly all mass is
lost and the samples teach; later the best readings hold nearly all of it.

References:
    Williams (1992), "Simple statistical gradient-following algorithms" (the score function).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.training.lifted.split import Split
from meristem.training.lifted.tables import Answers, Variable, intern_answers, run_readings

if TYPE_CHECKING:
    import torch

IntArray = NDArray[np.int64]
RealArray = NDArray[np.float64]

BEST = 128
SAMPLES = 128


@dataclass(frozen=True)
class Beyond:
    """The likelihood of labels of one shape, by its best readings and samples.

    Args:
        split: The program.
        values: The inputs of the shape, numbers in place of images.
        count: The number of images.
        variables: The V readings.
        best: k.
        samples: How many joint readings are drawn for each example.
    """

    split: Split
    values: Mapping[str, Any]
    count: int
    variables: tuple[Variable, ...]
    best: int = BEST
    samples: int = SAMPLES

    def __call__(
        self, readings: Sequence[torch.Tensor], labels: Sequence[Any], rng: np.random.Generator
    ) -> tuple[torch.Tensor, float]:
        """Estimated probabilities [N] of labels, and the mean lost mass.

        Args:
            readings: For each of the V variables the probabilities [N, K] of its values.
            labels: N labels, as compared.
            rng: For the samples.
        """
        import torch

        weights = [reading.detach().double().cpu().numpy() for reading in readings]
        rows = len(labels)
        top = best_readings(weights, self.best)
        drawn = np.stack([_draw(weight, self.samples, rng) for weight in weights], axis=2)
        every = np.concatenate([top, drawn], axis=1)
        distinct, place = np.unique(every.reshape(-1, len(weights)), axis=0, return_inverse=True)
        column, failures = run_readings(self.split, self.values, self.count, self.variables, distinct)
        ids, answers = intern_answers(column, failures)
        place = place.reshape(rows, -1)
        hits = ids[place] == Answers(answers).find(labels)[:, None]
        k = top.shape[1]
        new = np.stack([~np.isin(p[k:], p[:k]) for p in place])
        chosen = torch.from_numpy(every).to(readings[0].device)
        logs: Any = 0.0
        for t, reading in enumerate(readings):
            logs = logs + torch.log(reading.gather(1, chosen[:, :, t]) + 1e-30)
        exact = torch.exp(logs[:, :k])
        counted = torch.from_numpy(hits[:, :k]).to(logs)
        sampled = torch.from_numpy(hits[:, k:] & new).to(logs)
        score = torch.exp(logs[:, k:] - logs[:, k:].detach())  # 1, with the gradient of log p
        found = (exact * counted).sum(1) + (score * sampled).mean(1)
        return found, float(1 - exact.detach().sum(1).mean())


def best_readings(weights: Sequence[RealArray], k: int) -> IntArray:
    """The k most probable joint readings [N, k, V] of independent readings, best first (all, where there are fewer).

    Reading by reading: the k best of t + 1 readings are among the k best of t, each with every value.
    """
    rows = len(weights[0])
    found = np.zeros((rows, 1, 0), np.int64)
    score = np.zeros((rows, 1))
    for weight in weights:
        with np.errstate(divide="ignore"):
            joint = score[:, :, None] + np.log(weight)[:, None, :]
        flat = joint.reshape(rows, -1)
        keep = min(k, flat.shape[1])
        place = np.argpartition(-flat, keep - 1, axis=1)[:, :keep]
        order = np.take_along_axis(flat, place, axis=1)
        place = np.take_along_axis(place, np.argsort(-order, axis=1, kind="stable"), axis=1)
        score = np.take_along_axis(flat, place, axis=1)
        before = np.take_along_axis(found, (place // weight.shape[1])[:, :, None], axis=1)
        found = np.concatenate([before, (place % weight.shape[1])[:, :, None]], axis=2)
    return found


def _draw(weight: RealArray, count: int, rng: np.random.Generator) -> IntArray:
    """`count` values for each row [N, count]."""
    edges = np.cumsum(weight, axis=1)
    edges /= edges[:, -1:]
    drawn = rng.random((len(weight), count, 1)) > edges[:, None, :-1]
    values: IntArray = drawn.sum(axis=2).astype(np.int64)
    return values


__all__ = ["BEST", "SAMPLES", "Beyond", "best_readings"]
