"""What the trained parts of a program saw in an example: each image with the classes that it was taken for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError
from meristem.language.kinds import KINDS, GradientKind, settings_of, softmax
from meristem.language.python_words import part_name
from meristem.language.terms import Module
from meristem.model.trace import trace_of
from meristem.model.value_text import value_text
from meristem.types import Type
from meristem.values import Column, Dense

if TYPE_CHECKING:
    from meristem.model.program_model import ProgramModel

_IMAGES = ("image", "signal", "vector")
_WIDE = 60  # columns of a value


@dataclass(frozen=True)
class Sighting:
    """What one part says of one image.

    Args:
        part: Its name.
        label: The class it takes it for.
        sure: The probability that it gives that class; None where it gives none.
        other: The next likely class.
        other_sure: Its probability.
    """

    part: str
    label: str
    sure: float | None = None
    other: str = ""
    other_sure: float = 0.0


@dataclass(frozen=True)
class SeenImage:
    """An image, signal or vector of an example, and what each part says of it."""

    value: NDArray[Any] = field(repr=False)
    sightings: tuple[Sighting, ...]


@dataclass(frozen=True)
class SeenExample:
    """An example, from what was seen to the answer.

    Args:
        images: In the order in which they stand.
        steps: What was done and what it gave, in order.
        answer: What the program answers; why it does not, where it fails.
        label: The answer that the example has.
        right: Whether they are equal.
    """

    images: tuple[SeenImage, ...]
    steps: tuple[tuple[str, str], ...]
    answer: str
    label: str
    right: bool


def seen_examples(model: ProgramModel) -> list[SeenExample]:
    """What a model saw in the examples that it holds; none for a program without trained parts that look at images."""
    readers: dict[str, Module] = {}  # by slot: one may stand in several places
    for node, _, gives in model.program.parts:
        if gives.name == "class" and len(node.args) == 1:
            readers.setdefault(node.slot, node)
    if not readers:
        return []
    found = []
    for k, wanted in enumerate(model.answers.to_list()):
        row = {name: column[k] for name, column in model.examples.items()}
        places = [
            each for name, type_ in model.program.inputs.items() for each in images_in(row[name], type_)
        ]
        images = [
            SeenImage(
                value, tuple(s for node in readers.values() if (s := _sighting(model, node, value, type_)))
            )
            for value, type_ in places
        ]
        if not images:
            return []
        trace = trace_of(model.program.prepared, row, model.program.fit)
        steps = tuple(
            (step.text, f"fails: {step.failure}" if step.failure else value_text(step.value, _WIDE))
            for step in trace.steps
        )
        answer = f"none: {trace.failure}" if trace.failure else value_text(trace.value, _WIDE)
        right = not trace.failure and trace.value == wanted
        found.append(SeenExample(tuple(images), steps, answer, value_text(wanted, _WIDE), bool(right)))
    return found


def images_in(value: Any, type_: Type) -> Iterator[tuple[NDArray[Any], Type]]:
    """The images, signals and vectors in a value, in order, with their types."""
    if type_.name in _IMAGES:
        yield np.asarray(value), type_
    elif value is not None and type_.name == "list":
        for item in value:
            yield from images_in(item, type_.item)
    elif type_.name == "pair":
        for item, inner in zip(value, type_.args, strict=True):
            yield from images_in(item, inner)
    elif value is not None and type_.name == "option":
        yield from images_in(value, type_.item)


def _sighting(model: ProgramModel, node: Module, value: NDArray[Any], type_: Type) -> Sighting | None:
    """What a part says of an image; None where it looks at others."""
    gives = {part: result for part, _, result in model.program.parts}
    try:
        column: Column = Dense(type_, value[None])
        chance = _chances(model, node, column, gives)
    except (MeristemError, ValueError, KeyError):  # it takes images of another type or size
        return None
    labels = list(gives[node].labels)
    first, *rest = np.argsort(-chance, kind="stable").tolist()
    other = rest[0] if rest else first
    return Sighting(part_name(node), labels[first], float(chance[first]), labels[other], float(chance[other]))


def _chances(
    model: ProgramModel, node: Module, column: Column, gives: dict[Module, Type]
) -> NDArray[np.float64]:
    """The probabilities [K] that a part gives for one image; parts under it are run first."""
    below = node.args[0]
    if isinstance(below, Module):
        scores = _scores(model, below, column, gives)
        column = Dense(gives[below], scores)
    found: NDArray[np.float64] = softmax(_scores(model, node, column, gives).astype(np.float64))[0]
    return found


def _scores(model: ProgramModel, node: Module, column: Column, gives: dict[Module, Type]) -> NDArray[Any]:
    kind = KINDS.find(node.kind, node.version)
    if not isinstance(kind, GradientKind):
        raise MeristemError(f"{node.kind} gives no scores")
    settings = settings_of(kind, node.settings)
    kind.takes([column.type])
    return kind.scores(model.program.fit[node.slot], kind.prepare([column], settings), settings, gives[node])


__all__ = ["SeenExample", "SeenImage", "Sighting", "images_in", "seen_examples"]
