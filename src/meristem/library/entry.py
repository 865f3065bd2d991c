"""Entry: one version of one program in a library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from meristem.errors import InputError
from meristem.language.terms import Lambda, Term
from meristem.library.card import Card
from meristem.library.describe import open_content
from meristem.model import Model, ProgramModel
from meristem.model.words import clean
from meristem.types import Type
from meristem.values import read_type

if TYPE_CHECKING:
    from meristem.library.library import Library


@dataclass(frozen=True)
class Use:
    """That something used an entry.

    Args:
        used: The entry that was used, as `name@version`.
        user: The entry that uses it; empty where none was stored.
        how: `as it is`, `part`, `grown from`, `merged`, ...
        task: The name of the task.
        at: When, as ISO 8601 in UTC.
    """

    used: str
    user: str
    how: str
    task: str
    at: str


@dataclass(frozen=True)
class Entry:
    """One version of one program in a library. Immutable: a change is a new version.

    Args:
        library: Where it stands.
        number: Its number there.
        name: Its name.
        version: From 1 up.
        card: What is known of it.
        added: When, as ISO 8601 in UTC.
        removed: When it was taken out, empty where it was not; `gc` forgets what was.
    """

    library: Library = field(repr=False, compare=False)
    number: int = field(repr=False)
    name: str
    version: int
    card: Card = field(repr=False)
    added: str = field(repr=False)
    removed: str = ""

    @property
    def label(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    @property
    def hash(self) -> str:
        """SHA-256 of what it holds."""
        return self.card.content

    @cached_property
    def type(self) -> Type:
        """Its most general type, a function type."""
        return read_type(self.card.type)

    @property
    def shelf(self) -> str:
        """`algorithmic`, or `geometric` where something in it was fitted."""
        return self.card.shelf

    @cached_property
    def term(self) -> Term:
        """Its term; of a subroutine the body.

        Raises:
            FileFormatError: It is damaged.
        """
        found = self.card.read_term()
        if found is not None:
            return found
        opened = self._open()
        return opened[2].body if isinstance(opened, tuple) else opened.program.term

    def _open(self) -> Model | ProgramModel | tuple[str, Type, Lambda, str]:
        content = self.library.content(self.card.content)
        return open_content(self.card.kind, content, f"the entry {clean(self.label)!r}")

    def model(self) -> Model | ProgramModel:
        """The model, bit for bit the one that was added.

        Raises:
            InputError: It is a subroutine.
            FileFormatError: It is damaged.
        """
        opened = self._open()
        if isinstance(opened, tuple):
            raise InputError(f"{self.label!r} is a subroutine, no model; see its `term` and `type`")
        return opened

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its inputs, in order."""
        return self.card.names

    def uses(self) -> list[Use]:
        """What used it, the latest first."""
        return self.library.uses(self)

    def words(self) -> str:
        """What it is, in a line."""
        return clean(f"{self.label}: {self.card.type}: {self.card.doc}")

    def to_json(self) -> Mapping[str, Any]:
        """What a program reads of it: plain JSON values."""
        from dataclasses import asdict

        return {
            "name": self.name,
            "version": self.version,
            "added": self.added,
            "removed": self.removed,
            **asdict(self.card),
        }

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.words())}</pre>"


__all__ = ["Entry", "Use"]
