"""Splitting a program into what it perceives and what it reasons.

A *perception call* is a module trained by gradients that is applied to one image (or signal, or vector) and gives a
class; it may stand on another one that gives features. What it gives is a random variable, its *reading*. Everything
else is exact: the *remainder*, a term over readings.

Images are replaced by numbers, their positions in the example, and a perception call by a look-up of the reading at
that number. So the remainder holds no image, and two calls of a module on one image are one variable however the
image came there: `x + x`, or `max - min` of the same digits, are never lifted apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.infer import Typed, infer
from meristem.language.interpreter import Prepared, prepare
from meristem.language.kinds import ModuleKind, class_total
from meristem.language.terms import Call, Module, Term, Variable, modules_of
from meristem.types import INT, Type, format_type, list_of
from meristem.values import Scalars

OPAQUE = ("image", "signal", "vector")
"""Types whose values exact code does not look into."""


@dataclass(frozen=True)
class Part:
    """One module of a reader.

    Args:
        node: The module as it stands in the term.
        kind: Its kind.
        settings: Every choice.
        takes: The type of what it is applied to.
        gives: The type of its result.
    """

    node: Module
    kind: ModuleKind
    settings: Mapping[str, Any]
    takes: Type
    gives: Type


@dataclass(frozen=True)
class Reader:
    """A perceiving module, or one upon another: all calls share one fit.

    Args:
        parts: Its modules, the one that takes the image first, the one that gives the class last.
        name: The input of the remainder that holds its readings: a list with one for each image of the example.
    """

    parts: tuple[Part, ...]
    name: str

    @property
    def takes(self) -> Type:
        """The type of what it looks at."""
        return self.parts[0].takes

    @property
    def reading(self) -> Type:
        """The type of a reading: `class[...]` or `bool`."""
        gives = self.parts[-1].gives
        return gives.item if gives.name == "dist" else gives

    @cached_property
    def classes(self) -> int:
        """K, the number of values a reading may have."""
        return class_total(self.reading)

    @property
    def slots(self) -> tuple[str, ...]:
        """The keys of its arrays in a fit."""
        return tuple(part.node.slot for part in self.parts)

    def column(self, codes: NDArray[Any]) -> Scalars:
        """Readings [N], given as positions among the K values, as a column."""
        return Scalars(self.reading, codes.astype(np.bool_ if self.reading.name == "bool" else np.int64))


@dataclass(frozen=True)
class Split:
    """A program as readers and a remainder.

    Args:
        term: The whole program.
        inputs: The types of its inputs.
        readers: Its perceiving modules, in order of evaluation.
        remainder: The exact rest: its inputs are those of the program, with ints in place of images, and for each
            reader the list of its readings.
    """

    term: Term
    inputs: Mapping[str, Type]
    readers: tuple[Reader, ...]
    remainder: Prepared

    @property
    def result(self) -> Type:
        """The type of the answers."""
        return self.remainder.type

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots of all modules, inner ones first."""
        return tuple(dict.fromkeys(slot for reader in self.readers for slot in reader.slots))


def opaque_to_int(type_: Type) -> Type:
    """A type with ints in place of images, signals and vectors."""
    if type_.name in OPAQUE:
        return INT
    if not type_.args:
        return type_
    return Type(type_.name, tuple(map(opaque_to_int, type_.args)), type_.params, type_.kind)


def split_term(term: Term, inputs: Mapping[str, Type], *, target: Type | None = None) -> Split:
    """Find the perception calls of a program, and what is left without them.

    Args:
        term: A program without holes.
        inputs: The types of its inputs.
        target: The type of the task's answer, for modules with an open result.

    Raises:
        TypeMismatch: It has no perception call, or something that cannot be lifted; says what and why.
    """
    root = infer(term, inputs, target)
    taken = set(inputs) | {name for node in term.walk() for name in _names(node)}
    readers: dict[tuple[str, ...], Reader] = {}
    calls: dict[Term, str] = {}
    for node in root.walk():
        if isinstance(node.term, Module) and node.type.name in ("class", "bool", "dist"):
            parts = _parts(node)
            key = tuple(part.node.slot for part in parts)
            reader = readers.get(key)
            if reader is None:
                name = f"readings of {node.term.label or node.term.kind}"
                while name in taken:
                    name += "'"
                taken.add(name)
                reader = readers[key] = Reader(parts, name)
            elif reader.takes != parts[0].takes or reader.parts[-1].gives != parts[-1].gives:
                raise TypeMismatch(
                    f"the module {node.term.kind} is used on {format_type(reader.takes)} and on "
                    f"{format_type(parts[0].takes)}; give each use a label of its own"
                )
            calls[node.term] = reader.name
    if not readers:
        raise TypeMismatch(
            "expected a program with a module that gives a class and is trained by gradients, this one has none"
        )
    types = {name: opaque_to_int(type_) for name, type_ in inputs.items()}
    types |= {reader.name: list_of(reader.reading) for reader in readers.values()}
    rest = _remainder(term, calls)
    left = modules_of(rest)
    if left:
        raise TypeMismatch(
            f"the module {left[0].kind} gives no class, so exact code cannot go on with what it gives; let it give a "
            "class, or features to a module that does"
        )
    try:
        remainder = prepare(rest, types, target=target)
    except TypeMismatch as error:
        raise TypeMismatch(
            f"the program cannot be lifted: something looks into an image, or into probabilities: {error}"
        ) from None
    if any(inner.name in OPAQUE for inner in root.type.walk()):
        raise TypeMismatch(f"an answer may hold no image, this program gives {format_type(root.type, 6)}")
    return Split(term, dict(inputs), tuple(readers.values()), remainder)


def _parts(node: Typed) -> tuple[Part, ...]:
    """The modules of a perception call, innermost first."""
    found: list[Part] = []
    while isinstance(node.term, Module):
        kind = node.entry
        assert isinstance(kind, ModuleKind)
        shown = f"the module {node.term.kind}"
        if kind.mode != "gradient":
            raise TypeMismatch(
                f"{shown} is not trained by gradients, so it cannot stand in a program that is trained from its "
                "answers; apply it to the data beforehand"
            )
        kinds = [child.type.name for child in node.children]
        if len(kinds) != 1 or kinds[0] not in OPAQUE:
            raise TypeMismatch(
                f"a perception call takes one of {', '.join(OPAQUE)}; {shown} takes {', '.join(kinds) or 'nothing'}. "
                "Call it on each item with map"
            )
        child = node.children[0]
        found.append(Part(node.term, kind, node.settings, child.type, node.type))
        node = child
    return tuple(reversed(found))


def _remainder(term: Term, calls: Mapping[Term, str]) -> Term:
    """A term with look-ups in place of perception calls."""
    results: list[Term] = []
    for node in term.walk():
        count = len(node.children())
        inner = tuple(results[len(results) - count :])
        del results[len(results) - count :]
        name = calls.get(node)
        if name is not None:
            image = inner[0]
            while isinstance(image, Module):
                image = image.args[0]
            node = Call("get", (Variable(name), image))
        elif isinstance(node, Call) and node.name == "most_likely":
            node = inner[0]  # a reading is a value already
        elif count:
            node = node.with_children(inner)
        results.append(node)
    return results[0]


def _names(node: Term) -> tuple[str, ...]:
    """The names a node mentions."""
    if isinstance(node, Variable):
        return (node.name,)
    names: tuple[str, ...] = getattr(node, "parameters", ())
    return names


__all__ = ["OPAQUE", "Part", "Reader", "Split", "opaque_to_int", "split_term"]
