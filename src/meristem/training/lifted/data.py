"""Examples made ready for training a lifted program: shapes, diagrams, labels as numbers, and the concrete answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError
from meristem.language.failures import Reasons
from meristem.training.lifted.diagrams import Diagram
from meristem.training.lifted.plans import Plans
from meristem.training.lifted.shapes import Group, Known, Shapes
from meristem.training.lifted.sight import Networks, Sight
from meristem.training.lifted.split import Split
from meristem.training.lifted.tables import Variable, answer_key, label_counts, variables_of
from meristem.training.rows import Examples
from meristem.values import Column, Lists, offsets_from

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Lot:
    """The examples of one shape with their labels.

    Args:
        group: The examples.
        variables: The readings of each example.
        diagram: The program over these readings; None where there is no exact one.
        labels: Shape [N]: numbers of answers, -1 for a label that no reading gives. All 0 without a diagram.
        texts: Shape [N]: the labels themselves, as compared.
    """

    group: Group
    variables: tuple[Variable, ...]
    diagram: Diagram | None
    labels: IntArray
    texts: tuple[Any, ...]

    def rows_of(self, variable: Variable, positions: IntArray, starts: Mapping[int, int]) -> IntArray:
        """Where the images of a reading stand among those of its reader, for some of the examples."""
        rows: IntArray = (
            self.group.images[positions, variable.image] + starts[self.group.pools[variable.image]]
        )
        return rows


@dataclass(frozen=True)
class Data:
    """Examples of a program.

    Args:
        split: The program.
        shapes: The examples taken apart.
        lots: By shape.
        place: Shape [N, 2]: for each example its lot, and its position there.
    """

    split: Split
    shapes: Shapes
    lots: tuple[Lot, ...]
    place: IntArray

    def __len__(self) -> int:
        return len(self.place)

    @property
    def impossible(self) -> int:
        """The number of labels that no reading gives."""
        return sum(int((lot.labels < 0).sum()) for lot in self.lots)

    @property
    def entropy(self) -> float:
        """Nats a label: how uncertain labels are where only the shape of an example is known."""
        total = 0.0
        for lot in self.lots:
            seen = np.array(list(label_counts(lot.texts).values()), np.float64)
            total -= float(seen @ np.log(seen / seen.sum())) if len(seen) else 0.0
        return total / max(len(self), 1)

    @property
    def mean_readings(self) -> float:
        """Readings an example, on average."""
        return sum(len(lot.variables) * len(lot.group) for lot in self.lots) / max(len(self), 1)


def data_of(split: Split, examples: Examples, plans: Plans, known: Known | None = None) -> Data:
    """Make examples ready; `known` holds what was made ready before.

    Raises:
        InputError: The labels are of another type than the program's answers.
    """
    if examples.target.type.name != split.result.name and not _numbers(
        examples.target.type.name, split.result.name
    ):
        raise InputError(
            f"expected labels of type {split.result}, which this program gives, got {examples.target.type}"
        )
    shapes = (known or Known()).shapes(split, examples.inputs)
    labels = examples.target.to_list()
    lots = []
    place = np.zeros((len(shapes), 2), np.int64)
    for number, group in enumerate(shapes.groups):
        place[group.rows, 0] = number
        place[group.rows, 1] = np.arange(len(group))
        variables = variables_of(split, shapes.pools, group.pools)
        diagram = plans.diagram(group, variables)
        own = [labels[row] for row in group.rows.tolist()]
        if diagram is None:
            found = np.zeros(len(group), np.int64)
        else:
            found, variables = diagram.answers.find(own), diagram.variables
        lots.append(Lot(group, variables, diagram, found, tuple(map(answer_key, own))))
    return Data(split, shapes, tuple(lots), place)


def _numbers(one: str, other: str) -> bool:
    return {one, other} <= {"int", "real"}


class Sights:
    """What all readers see of one data set."""

    def __init__(self, networks: Networks, shapes: Shapes) -> None:
        self.shapes, self.networks = shapes, networks
        self.each = [
            Sight(networks, k, shapes.pools, shapes.ready) for k in range(len(networks.split.readers))
        ]

    def readings(self) -> list[NDArray[np.float64]]:
        """For each reader the probabilities [M, K] of all images it may look at, outside of training."""
        return [sight.read(np.arange(len(sight.images))) for sight in self.each]

    def answers(self) -> tuple[Column, Reasons]:
        """What the program answers for all examples: the concrete program on the likeliest readings."""
        return concrete_answers(
            self.networks.split, self.shapes, self.readings(), [s.starts for s in self.each]
        )


def concrete_answers(
    split: Split,
    shapes: Shapes,
    readings: Sequence[NDArray[np.float64]],
    starts: Sequence[Mapping[int, int]],
) -> tuple[Column, Reasons]:
    """The answers of the program on the likeliest class of each image.

    Args:
        split: The program.
        shapes: N examples.
        readings: For each reader the probabilities [M, K] of its images.
        starts: For each reader where the images of a pool begin.

    Returns:
        The answers [N], and a reason for each example that has none.
    """
    offsets = offsets_from(shapes.counts)
    inputs: dict[str, Column] = dict(shapes.numbered)
    for number, reader in enumerate(split.readers):
        codes = np.zeros(int(offsets[-1]), np.int64)
        best = readings[number].argmax(axis=1) if len(readings[number]) else np.zeros(0, np.int64)
        for group in shapes.groups:
            for image, pool in enumerate(group.pools):
                if pool in starts[number]:
                    codes[offsets[group.rows] + image] = best[starts[number][pool] + group.images[:, image]]
        inputs[reader.name] = Lists(offsets, reader.column(codes))
    done = split.remainder.run(inputs, rows=len(shapes))
    return done.column, done.failures


def right_share(answers: Column, failures: Reasons, labels: Column) -> float:
    """The share of examples whose answer is the label."""
    pairs = zip(answers.to_list(), labels.to_list(), (failures == 0).tolist(), strict=True)
    right = [good and answer_key(answer) == answer_key(label) for answer, label, good in pairs]
    return float(np.mean(right)) if right else float("nan")


__all__ = ["Data", "Lot", "Sights", "concrete_answers", "data_of", "right_share"]
