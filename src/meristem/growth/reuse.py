"""What earlier models bring to a new task: features to put a new head on, and programs to put a new reader in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, MeristemError, TypeMismatch
from meristem.growth.readers import fitted_parts
from meristem.language.infer import infer
from meristem.language.kinds import KINDS, Arrays, Settings, settings_of
from meristem.language.terms import Call, Lambda, Let, Module, Term, Variable, modules_of, rewrite
from meristem.model.program_model import ProgramModel
from meristem.modules._network import NetworkKind
from meristem.search.hybrid.readings import Look
from meristem.types import BOOL, INT, Type, class_of, vector_of

_READ = "class_number"


@dataclass(frozen=True)
class Trunk:
    """A network of an earlier model, for what it sees in an image rather than for what it calls it.

    Args:
        node: The module; its argument is replaced where it is used.
        kind: Its kind.
        settings: Every choice of it.
        image: The type of what it is to look at.
        output: The classes that it tells apart.
        arrays: All that it has learned.
        origin: The model that it is of.
    """

    node: Module
    kind: NetworkKind
    settings: Settings
    image: Type
    output: Type
    arrays: Arrays = field(repr=False)
    origin: str

    @property
    def width(self) -> int:
        """How many features its last layer sees."""
        return self.kind.width_of_features([self.image], self.settings)

    def features(self, prepared: NDArray[Any]) -> NDArray[Any]:
        """The features of prepared rows, [N, D]."""
        return self.kind.scores(self.arrays, prepared, self.settings, vector_of(self.width))

    def classes(self, prepared: NDArray[Any]) -> NDArray[np.int64]:
        """What it calls prepared rows: positions among its labels, [N]."""
        found: NDArray[np.int64] = self.kind.scores(self.arrays, prepared, self.settings, self.output).argmax(
            axis=1
        )
        return found

    def with_head(
        self, weights: NDArray[np.float64], bias: NDArray[np.float64], prepared: NDArray[Any]
    ) -> Arrays:
        """Its arrays with another last layer: weights [D, K] and a bias [K]."""
        output = class_of(*map(str, range(len(bias))))
        last = len(self.kind.layers(prepared.shape[1:], self.settings, output)) - 1
        arrays = dict(self.arrays)
        arrays[f"{last}.weight"] = np.ascontiguousarray(weights.T, np.float32)
        arrays[f"{last}.bias"] = bias.astype(np.float32)
        return arrays


def trunks_of(parts: Sequence[object], image: Type) -> list[Trunk]:
    """The networks in earlier models that can look at images of a type; those with most classes first.

    What counts is whether their arrays fit: a network over sounds takes sounds of any length.

    Raises:
        InputError: A part is no model of a program.
    """
    found: dict[str, Trunk] = {}
    for model in fitted_parts(parts):
        root = infer(model.term, dict(model.program.inputs), model.program.target)
        for typed in root.walk():
            node = typed.term
            if not isinstance(node, Module) or typed.type.name != "class" or len(node.args) != 1:
                continue
            kind = KINDS.find(node.kind, node.version)
            arrays = model.program.fit.get(node.slot)
            if not isinstance(kind, NetworkKind) or arrays is None:
                continue
            settings = settings_of(kind, node.settings)
            try:
                kind.takes([image])
                kind.validate_for(arrays, [image], typed.type, settings)
            except (FileFormatError, TypeMismatch):
                continue
            found.setdefault(
                f"{model.hash}/{node.slot}",
                Trunk(node, kind, settings, image, typed.type, dict(arrays), model.name),
            )
    return sorted(found.values(), key=lambda trunk: -len(trunk.output.params))


# ------------------------------------------------------------------------------------------ programs


@dataclass(frozen=True)
class Borrowed:
    """A program over readings that an earlier model brings.

    Args:
        term: It, over the variables of a `Look`.
        origin: The model that it is of.
        classes: How many classes its own reader has; 0 where it has none.
    """

    term: Term
    origin: str
    classes: int


def programs_of(parts: Sequence[object], look: Look, answers: Type) -> list[Borrowed]:
    """The programs of earlier models without their readers, as programs over what a new reader sees.

    A sum over lists of written digits is a sum over lists: with another reader it is one of spoken digits. A program
    over lists of whole numbers, grown from examples, is one too.

    Args:
        parts: The models.
        look: Where images stand in the new task.
        answers: The type of the answers.
    """
    found: dict[Term, Borrowed] = {}
    for model in parts:
        if not isinstance(model, ProgramModel) or model.program.target != answers:
            continue
        try:
            borrowed = _without_readers(model, look)
        except MeristemError:
            continue
        if borrowed is None or isinstance(borrowed.term, Variable):
            continue  # a reader alone brings no program
        try:
            if infer(borrowed.term, look.types, answers).type not in (answers, INT, BOOL):
                continue
        except MeristemError:
            continue
        found.setdefault(borrowed.term, borrowed)
    return list(found.values())


def _without_readers(model: ProgramModel, look: Look) -> Borrowed | None:
    """A model's program with variables in place of what it reads; None where it stands over something else."""
    places = list(look.places)
    inputs = dict(model.program.inputs)
    whole = _freshened(model.term, set(look.types))
    if not model.program.fit:
        if [str(t) for t in inputs.values()] != [str(place.type) for place in places]:
            return None
        names = {name: place.variable for name, place in zip(inputs, places, strict=True)}
        return Borrowed(_renamed(whole, names), model.name, 0)
    readings: dict[Term, str] = {}  # the images that are read, in order, and the variable for their readings
    classes = 0

    def variable(source: Term, listed: bool) -> Term | None:
        if source not in readings:
            place = len(readings)
            if place >= len(places) or places[place].depth != int(listed):
                return None
            readings[source] = places[place].variable
        return Variable(readings[source])

    def replaced(node: Term) -> Term:
        nonlocal classes
        source: Term | None = None
        listed = False
        if isinstance(node, Call) and node.name == "map" and len(node.args) == 2:
            function, items = node.args
            if isinstance(function, Lambda) and len(function.parameters) == 1 and _is_place(items, inputs):
                seen = _read_of(function.body)
                if seen is not None and seen[0] == Variable(function.parameters[0]):
                    source, listed = items, True
                    classes = max(classes, seen[1])
        elif isinstance(node, Call) and node.name == _READ:
            seen = _read_of(node)
            if seen is not None and _is_place(seen[0], inputs):
                source = seen[0]
                classes = max(classes, seen[1])
        if source is None:
            children = tuple(replaced(child) for child in node.children())
            return node.with_children(children) if children else node
        found = variable(source, listed)
        if found is None:
            raise TypeMismatch("the program reads at other places")
        return found

    term = _without_names(replaced(whole))
    if len(readings) != len(places) or modules_of(term) or term.free_names - set(look.types):
        return None
    return Borrowed(term, model.name, classes)


def _is_place(term: Term, inputs: Mapping[str, Type]) -> bool:
    """Whether a term is an input, or a side of one."""
    while isinstance(term, Call) and term.name in ("left", "right"):
        (term,) = term.args
    return isinstance(term, Variable) and term.name in inputs


def _read_of(term: Term) -> tuple[Term, int] | None:
    """What `class_number(reader(x))` reads, and of how many classes; None for anything else."""
    if not isinstance(term, Call) or term.name != _READ or not isinstance(term.args[0], Module):
        return None
    node: Term = term.args[0]
    output = term.args[0].output
    while isinstance(node, Module) and len(node.args) == 1:
        (node,) = node.args
    count = len(output.params) if output is not None and output.name == "class" else 0
    return (node, count) if isinstance(node, Variable | Call) else None


def _without_names(term: Term) -> Term:
    """A term in which names that stand for a variable only are that variable."""

    def change(node: Term) -> Term:
        if isinstance(node, Let) and isinstance(node.value, Variable):
            return _renamed(node.body, {node.name: node.value.name})
        return node

    return rewrite(term, change)


def _freshened(term: Term, taken: set[str]) -> Term:
    """A term whose bound names are none of `taken`."""

    def change(node: Term) -> Term:
        if isinstance(node, Lambda) and taken.intersection(node.parameters):
            names = {name: f"{name}_" for name in node.parameters if name in taken}
            return Lambda(tuple(names.get(p, p) for p in node.parameters), _renamed(node.body, names))
        if isinstance(node, Let) and node.name in taken:
            return Let(f"{node.name}_", node.value, _renamed(node.body, {node.name: f"{node.name}_"}))
        return node

    return rewrite(term, change)


def _renamed(term: Term, names: Mapping[str, str]) -> Term:
    def change(node: Term) -> Term:
        return Variable(names[node.name]) if isinstance(node, Variable) and node.name in names else node

    return rewrite(term, change)


__all__ = ["Borrowed", "Trunk", "programs_of", "trunks_of"]
