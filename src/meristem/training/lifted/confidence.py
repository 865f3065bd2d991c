"""How sure a fitted program is of its answers: their exact distribution, all joint readings summed. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.language.interpreter import Fit
from meristem.language.kinds import softmax
from meristem.training.lifted.plans import Plans
from meristem.training.lifted.shapes import Pool, shapes_of
from meristem.training.lifted.sight import gradient_kind
from meristem.training.lifted.split import Reader, Split
from meristem.training.lifted.tables import variables_of
from meristem.values import Column, Dense, hashable


def read_pool(reader: Reader, pool: Pool, fit: Fit) -> NDArray[np.float64]:
    """What a reader says of the images of a pool: the probabilities [M, K] of its readings."""
    column = Dense(pool.type, pool.data)
    scores: NDArray[Any] = np.zeros((0, reader.classes))
    for part in reader.parts:
        kind, arrays = gradient_kind(part), fit[part.node.slot]
        scores = kind.scores(arrays, kind.prepare([column], part.settings), part.settings, part.gives)
        if part is not reader.parts[-1]:
            column = Dense(part.gives, scores)
    return softmax(scores.astype(np.float64))


def answer_probabilities(
    split: Split, inputs: Mapping[str, Column], fit: Fit, plans: Plans | None = None
) -> list[dict[Any, float] | None]:
    """For each example how probable each answer is.

    Args:
        split: The program.
        inputs: Its inputs, a column [N] each.
        fit: The arrays of its modules, by slot.
        plans: Diagrams made before, for the same program.

    Returns:
        N dictionaries from answer (`FAILED` where the program has none) to probability, which sum to 1; lists among
        answers are tuples. None for an example that has too many joint readings and no small diagram.
    """
    plans = plans or Plans(split)
    shapes = shapes_of(split, inputs)
    known: dict[tuple[int, int], NDArray[np.float64]] = {}
    found: list[dict[Any, float] | None] = [None] * len(shapes)
    for group in shapes.groups:
        diagram = plans.diagram(group, variables_of(split, shapes.pools, group.pools))
        if diagram is None:
            continue
        weights = []
        for variable in diagram.variables:
            pool = group.pools[variable.image]
            key = (variable.reader, pool)
            if key not in known:
                reader = split.readers[variable.reader]
                known[key] = read_pool(reader, shapes.pools[pool], fit)
            weights.append(known[key][group.images[:, variable.image]])
        chances = diagram.probabilities(weights) if weights else np.ones((len(group), 1))
        keys = [hashable(value) for value in diagram.answers.values]
        for row, chance in zip(group.rows.tolist(), chances.tolist(), strict=True):
            found[row] = dict(zip(keys, chance, strict=True))
    return found


__all__ = ["answer_probabilities", "read_pool"]
