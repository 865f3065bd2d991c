"""Layered decision diagrams: the answers of a program over joint readings, with equal futures merged.

After t readings a program is in a *state*: what it will answer, as a function of the readings still to come. Cut
the table of all answers into rows, one for each way the first t readings may be; equal rows are one state. So
states merge by themselves for whatever the program computes: a sum of t digits has 9 t + 1, a maximum 10, a parity
2, and no analysis of the program is needed. The diagram is minimal: no smaller one of this order gives the same
answers.

One walk over the layers serves many purposes, each a semiring (what replaces + and times): probabilities (+, x),
which answers are possible (or, and), the best reading (max, x), the number of readings (+, x over ones).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.training.lifted.tables import Answers, Table, Variable

IntArray = NDArray[np.int64]
RealArray = NDArray[np.float64]


@dataclass(frozen=True)
class Diagram:
    """A program over V readings as layers of states.

    Args:
        variables: The V readings that matter, in order.
        layers: For each an array [S, K]: the state in the next layer, from the state and the value. The first layer
            has one state; what the last one leads to are the answers.
        answers: The A answers.
    """

    variables: tuple[Variable, ...]
    layers: tuple[IntArray, ...]
    answers: Answers

    @property
    def sizes(self) -> tuple[int, ...]:
        """For each reading the number of values it may have."""
        return tuple(layer.shape[1] for layer in self.layers)

    @property
    def states(self) -> tuple[int, ...]:
        """The number of states before each reading, and last the number of answers."""
        return (*(len(layer) for layer in self.layers), len(self.answers.values))

    @cached_property
    def readings(self) -> RealArray:
        """For each answer [A] the number of joint readings that give it (as floats: it may pass 2^63)."""
        ones = [np.ones((1, size)) for size in self.sizes]
        total: RealArray = self.forward(ones)[-1][0]
        return total

    # ------------------------------------------------------------------------------------------ walks

    def forward(self, weights: Sequence[NDArray[Any]]) -> list[RealArray]:
        """The weight of each state.

        Args:
            weights: For each reading an array [N, K] of weights of its values: probabilities, or ones to count.

        Returns:
            For each layer [N, S], and last of the answers [N, A].
        """
        count = len(weights[0]) if weights else 1
        found: list[RealArray] = [np.ones((count, 1))]
        for layer, weight, size in zip(self.layers, weights, self.states[1:], strict=True):
            joint = found[-1][:, :, None] * np.asarray(weight, np.float64)[:, None, :]
            place = layer.ravel()[None, :] + size * np.arange(count)[:, None]
            summed: RealArray = np.bincount(place.ravel(), joint.reshape(-1), count * size).astype(np.float64)
            found.append(summed.reshape(count, size))
        if not self.layers:
            found[-1] = np.ones((count, 1))
        return found

    def backward(self, weights: Sequence[NDArray[Any]], goals: NDArray[Any]) -> list[RealArray]:
        """The weight of what is still to come, from each state.

        Args:
            weights: For each reading an array [N, K].
            goals: Shape [N, A]: the weight of each answer.

        Returns:
            For each layer [N, S], and last the goals.
        """
        found: list[RealArray] = [np.asarray(goals, np.float64)]
        for layer, weight in zip(reversed(self.layers), reversed(weights), strict=True):
            found.append(np.einsum("nsk,nk->ns", found[-1][:, layer], np.asarray(weight, np.float64)))
        return found[::-1]

    def probabilities(self, weights: Sequence[NDArray[Any]]) -> RealArray:
        """P(answer) [N, A] from the probabilities [N, K] of each reading: exact, all joint readings are summed."""
        return self.forward(weights)[-1]

    def posteriors(self, weights: Sequence[NDArray[Any]], labels: IntArray) -> list[RealArray]:
        """For each reading the probabilities [N, K] of its values given the answers `labels` [N].

        Rows whose label is -1 or impossible under the weights are zero.
        """
        count = len(labels)
        goals = np.zeros((count, len(self.answers.values)))
        known = np.flatnonzero(labels >= 0)
        goals[known, labels[known]] = 1.0
        before, after = self.forward(weights), self.backward(weights, goals)
        total = after[0][:, 0]
        scale = np.divide(1.0, total, out=np.zeros(count), where=total > 0)
        return [
            np.einsum("ns,nsk->nk", a, b[:, layer]) * weight * scale[:, None]
            for a, b, layer, weight in zip(before[:-1], after[1:], self.layers, weights, strict=True)
        ]

    def reachable(self, allowed: Sequence[NDArray[np.bool_]] | None = None) -> NDArray[np.bool_]:
        """Which answers [A] some joint reading gives, each reading among the `allowed` [K] values (all, if None)."""
        if allowed is None:
            possible: NDArray[np.bool_] = self.readings > 0
            return possible
        here = np.ones(1, np.bool_)
        for layer, may, size in zip(self.layers, allowed, self.states[1:], strict=True):
            there = np.zeros(size, np.bool_)
            there[layer[here][:, may].ravel()] = True
            here = there
        return here

    def best(self, weights: Sequence[NDArray[Any]], labels: IntArray) -> tuple[IntArray, RealArray]:
        """The most probable joint reading that gives each label: what explains it.

        Args:
            weights: For each reading the probabilities [N, K].
            labels: Shape [N]: numbers of answers; -1 for one that no reading gives.

        Returns:
            The readings [N, V], -1 where nothing explains the label, and their probabilities [N].
        """
        count = len(labels)
        with np.errstate(divide="ignore"):
            logs = [np.log(np.asarray(weight, np.float64)) for weight in weights]
        value = np.full((count, self.states[-1]), -np.inf)
        known = np.flatnonzero(labels >= 0)
        value[known, labels[known]] = 0.0
        after = [value]
        for layer, log in zip(reversed(self.layers), reversed(logs), strict=True):
            after.append((after[-1][:, layer] + log[:, None, :]).max(axis=2))
        after.reverse()
        chosen = np.full((count, len(self.layers)), -1, np.int64)
        state, rows = np.zeros(count, np.int64), np.arange(count)
        for t, (layer, log) in enumerate(zip(self.layers, logs, strict=True)):
            onward = after[t + 1][rows[:, None], layer[state]] + log
            chosen[:, t] = onward.argmax(axis=1)
            state = layer[state, chosen[:, t]]
        probability: RealArray = np.exp(after[0][:, 0])
        chosen[probability == 0] = -1
        return chosen, probability

    def answer(self, readings: IntArray) -> IntArray:
        """The numbers of the answers [N] for joint readings [N, V]."""
        state = np.zeros(len(readings), np.int64)
        for layer, value in zip(self.layers, readings.T, strict=True):
            state = layer[state, value]
        return state


def diagram_of(table: Table) -> Diagram:
    """The minimal diagram of a table. Readings that never change the answer are left out."""
    layers: list[IntArray] = []
    level = table.ids
    for size in reversed(table.sizes):
        distinct, level = _distinct_rows(level.reshape(-1, size))
        layers.append(distinct)
    layers.reverse()
    return without_idle(Diagram(table.variables, tuple(layers), Answers(table.answers)))


def diagram_from_layers(
    variables: Sequence[Variable], layers: Sequence[IntArray], answers: Answers
) -> Diagram:
    """The minimal diagram of layers that may hold states with equal futures, all of them reachable."""
    made: list[IntArray] = []
    same: IntArray | None = None
    for layer in reversed(layers):
        distinct, same = _distinct_rows(layer if same is None else same[layer])
        made.append(distinct)
    return without_idle(Diagram(tuple(variables), tuple(reversed(made)), answers))


def _distinct_rows(rows: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct rows [S, K], in order of first appearance, and for each row which one it is [N]."""
    packed = np.ascontiguousarray(rows.astype(np.int32))
    keys = packed.view(np.dtype((np.void, packed.dtype.itemsize * packed.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rows[first[order]], rank[inverse.ravel()]


def without_idle(diagram: Diagram) -> Diagram:
    """Leave out readings that change nothing: from each state all of their values lead to the same one."""
    variables, layers = list(diagram.variables), list(diagram.layers)
    for t in reversed(range(len(layers))):
        layer = layers[t]
        if (layer != layer[:, :1]).any():
            continue
        if t > 0:
            layers[t - 1] = layer[layers[t - 1], 0]
        elif len(layers) > 1:
            layers[1] = layers[1][layer[:, 0]]
        else:
            return Diagram((), (), Answers([diagram.answers.values[layer[0, 0]]]))
        del variables[t], layers[t]
    return Diagram(tuple(variables), tuple(layers), diagram.answers)


__all__ = ["Diagram", "diagram_from_layers", "diagram_of", "without_idle"]
