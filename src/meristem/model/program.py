"""A program: a term with the fit of its modules."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

import meristem.modules
import meristem.primitives  # noqa: F401  (declare the vocabulary)
from meristem.errors import FileFormatError, MeristemError
from meristem.language.interpreter import Prepared, Result, prepare
from meristem.language.kinds import KINDS, settings_of
from meristem.language.terms import Module, Term, modules_of
from meristem.types import Type
from meristem.values import Column

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Program:
    """A term with the arrays of its modules.

    Args:
        term: The structure.
        inputs: The type of each input, by name.
        target: The type of the answers it was grown for (what `dist` predictions range over).
        fit: Arrays by slot.
        exact: Whether its result is of the type `target`, not a prediction of it.
    """

    term: Term
    inputs: Mapping[str, Type]
    target: Type
    fit: Mapping[str, Arrays] = field(repr=False)
    exact: bool = False

    @cached_property
    def prepared(self) -> Prepared:
        """The term made ready to run many times."""
        result = self.target if self.exact else None
        return prepare(self.term, self.inputs, target=self.target, result=result)

    @cached_property
    def types(self) -> dict[Term, Type]:
        """The type of every part of the term."""
        return {node.term: node.type for node in self.prepared.root.walk()}

    def run(self, inputs: Mapping[str, Column], rows: int | None = None) -> Result:
        """Run on columns of N rows."""
        return self.prepared.run(dict(inputs), self.fit, rows=rows)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the term, the types and every byte of the arrays, as hexadecimal."""
        state = hashlib.sha256(self.term.digest.encode())
        for name, type_ in self.inputs.items():
            state.update(f"{name}: {type_}\n".encode("utf-8", "surrogatepass"))
        state.update(f"-> {self.target}\n".encode("utf-8", "surrogatepass"))
        for slot in sorted(self.fit):
            for name in sorted(self.fit[slot]):
                array = np.ascontiguousarray(self.fit[slot][name])
                state.update(f"{slot}/{name} {array.dtype.str} {array.shape}\n".encode())
                state.update(array.tobytes())
        return state.hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for arrays in self.fit.values() for array in arrays.values())

    def modules(self) -> list[tuple[Module, list[str]]]:
        """Each module with a few lines on what it learned."""
        found = []
        for node, inputs, output in self.parts:
            kind = KINDS.find(node.kind, node.version)
            found.append((node, kind.describe(self.fit[node.slot], inputs, output)))
        return found

    @cached_property
    def parts(self) -> list[tuple[Module, list[Type], Type]]:
        """Each distinct module with the types of its arguments, where it stands first, and of its result."""
        found: dict[Module, tuple[Module, list[Type], Type]] = {}
        for node in self.prepared.root.walk():
            if isinstance(node.term, Module):
                types = [child.type for child in node.children]
                found.setdefault(node.term, (node.term, types, node.type))
        return list(found.values())

    def validate(self) -> None:
        """Check a program that came from a file: well typed, every module's arrays there and fitting.

        Raises:
            FileFormatError: It cannot be run safely.
        """
        try:
            nodes = modules_of(self.term)
            for place in self.prepared.root.walk():  # each place: a name may stand for other types elsewhere
                if not isinstance(node := place.term, Module):
                    continue
                kind = KINDS.find(node.kind, node.version)
                if node.slot not in self.fit:
                    raise FileFormatError(f"the fit of the module {node.kind} is missing")
                types = [child.type for child in place.children]
                kind.validate_for(self.fit[node.slot], types, place.type, settings_of(kind, node.settings))
        except FileFormatError:
            raise
        except MeristemError as error:
            raise FileFormatError(f"the program in the file is not well formed: {error}") from None
        if set(self.fit) != {node.slot for node in nodes}:
            raise FileFormatError("the file holds fits that no module of its program uses")
