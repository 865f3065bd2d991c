"""Readers: the perceiving modules that candidates are made with, those of earlier models first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, InputError, MeristemError, TypeMismatch
from meristem.language.kinds import KINDS, Arrays, GradientKind, class_total, settings_of
from meristem.language.terms import Module, Term, Variable
from meristem.model.program import Program
from meristem.model.program_model import ProgramModel
from meristem.primitives.classes import label_number
from meristem.search.hybrid.readings import Look, reader_of
from meristem.training.lifted import split_term
from meristem.training.lifted.split import Reader as LiftedReader
from meristem.types import Type, class_of, format_type, unify, vector_of
from meristem.values import Column

_TRUNK = "features"


@dataclass(frozen=True)
class Reader:
    """A module, or one upon another, that says which class an image is of.

    Args:
        way: How it comes: `new reader`, `part as it is`, `new head`.
        node: The module; its argument is replaced where it is used.
        fit: Arrays to start from, by slot.
        frozen: Slots that are not trained.
        origin: The model that it is of.
    """

    way: str
    node: Module
    fit: Mapping[str, Arrays] = field(default_factory=dict, repr=False)
    frozen: frozenset[str] = frozenset()
    origin: str = ""

    @property
    def classes(self) -> int:
        """K."""
        assert self.node.output is not None
        return class_total(self.node.output)

    def over(self, look: Look, term: Term) -> Term:
        """A program over readings as one over images, by this reader."""
        return look.over_images(term, self.node)

    def read(self, look: Look, inputs: Mapping[str, Column], fit: Mapping[str, Arrays]) -> dict[str, Column]:
        """What it sees: the readings, a column [N] a variable of programs over readings."""
        found = {}
        rows = len(next(iter(inputs.values())))
        for place in look.places:
            program = Program(
                self.over(look, Variable(place.variable)), look.inputs, place.type, fit, exact=True
            )
            names = program.term.free_names
            result = program.prepared.run(
                {n: inputs[n] for n in inputs if n in names or n in look.inputs}, fit, rows=rows
            )
            found[place.variable] = result.column
        return found


def new_reader(look: Look, classes: int) -> Reader:
    """A reader that knows nothing yet."""
    return Reader("new reader", reader_of(look.image, classes, name_of(look.image, classes)))


def name_of(image: Type, classes: int) -> str:
    """A name for a person: what a reader of so many classes most likely reads."""
    return "digit" if classes == 10 else {"image": "sight", "signal": "sound"}.get(image.name, "kind")


def fitted_parts(parts: Sequence[object]) -> Iterator[ProgramModel]:
    """The earlier models that hold something trained.

    Raises:
        InputError: A part is no model of a program.
    """
    for model in parts:
        if not isinstance(model, ProgramModel):
            raise InputError(
                f"expected programs as parts, got {type(model).__name__}; load files with ms.load"
            )
        if model.program.fit:
            yield model


def readers_of(parts: Sequence[object], look: Look) -> list[Reader]:
    """The readers of earlier models that fit these images, as they are.

    Raises:
        InputError: A part is no model of a program.
    """
    found: dict[tuple[str, str], Reader] = {}
    for model in fitted_parts(parts):
        try:
            split = split_term(model.term, dict(model.program.inputs), target=model.program.target)
        except MeristemError:
            continue
        for reader in split.readers:
            if not _can_look(reader, look.image, model.program.fit):
                continue
            node = reader.parts[-1].node
            given = reader.parts[-1].gives
            if given.name != "class" or any(label_number(label) is None for label in given.labels):
                continue
            if node.output is None:
                continue
            fit = {slot: dict(model.program.fit[slot]) for slot in reader.slots}
            own = Reader("part as it is", node, fit, frozenset(reader.slots), model.name)
            found.setdefault((node.slot, model.hash), own)
    return list(found.values())


def _can_look(reader: LiftedReader, image: Type, fit: Mapping[str, Mapping[str, NDArray[Any]]]) -> bool:
    """Whether a reader's arrays are those of a network over such images: one over sounds takes any length."""
    try:
        unify(reader.takes, image, {})
        return True
    except TypeMismatch:
        pass
    if reader.takes.name != image.name or len(reader.parts) != 1:
        return False
    (part,) = reader.parts
    try:
        part.kind.type_of([image], part.gives)
        part.kind.validate_for(fit[part.node.slot], [image], part.gives, part.settings)
    except (FileFormatError, TypeMismatch):
        return False
    return True


def with_new_head(reader: Reader, look: Look, classes: int) -> Reader | None:
    """A reader's features, frozen, with a head of its own for other classes; None where it has no features."""
    node = reader.node
    if len(node.args) == 1 and isinstance(node.args[0], Module):
        return None
    kind = KINDS.find(node.kind, node.version)
    if not isinstance(kind, GradientKind):
        return None
    width = kind.width_of_features([look.image], settings_of(kind, node.settings))
    trunk = Module(
        node.kind, node.args, node.choices, vector_of(width), f"{node.label}_{_TRUNK}", node.version
    )
    head = Module("dense", (trunk,), (), class_of(*map(str, range(classes))), f"{node.label}_head")
    return Reader(
        "new head", head, {trunk.slot: dict(reader.fit[node.slot])}, frozenset({trunk.slot}), reader.origin
    )


def shares_of(readings: Mapping[str, Column], classes: int) -> NDArray[np.float64]:
    """How often each class is seen, [K]."""
    from meristem.values import Lists, Scalars

    total = np.zeros(classes)
    for column in readings.values():
        items: Any = column
        while isinstance(items, Lists):
            items = items.items
        assert isinstance(items, Scalars)
        total += np.bincount(np.clip(items.data, 0, classes - 1), minlength=classes)
    found: NDArray[np.float64] = total / max(total.sum(), 1.0)
    return found


def described(reader: Reader, look: Look) -> str:
    """A reader in a few words."""
    assert reader.node.output is not None
    shown = f"{reader.node.label or reader.node.kind}({format_type(look.image, 6)}) -> "
    return shown + format_type(reader.node.output, 6)


__all__ = ["Reader", "described", "name_of", "new_reader", "readers_of", "shares_of", "with_new_head"]
