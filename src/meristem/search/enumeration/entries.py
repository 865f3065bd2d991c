"""Enumeration with entries of a library as further functions.

An entry is one more operation beside the primitives: it costs as much as its name does under the prior, not as much as
its body. Programs are given with the bodies put in, so they need no library to run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from meristem.errors import FileFormatError
from meristem.language.terms import Call, Term
from meristem.library.running import inlined
from meristem.search.enumeration._grammar import Material, instances, material_of
from meristem.search.enumeration._operations import Operation
from meristem.search.enumeration._settings import Settings
from meristem.search.enumeration.finder import Enumerate
from meristem.search.programs.cost import description_length
from meristem.search.programs.entries import as_task, entry_cost
from meristem.search.programs.problem import Finder, Found, Problem
from meristem.types import Type, rename_apart

if TYPE_CHECKING:
    from meristem.library import Entry, Library

_MOST = 24  # entries that are offered: each makes every level of the search larger
_MOST_ARGUMENTS = 3
_MOST_SIZE = 60  # nodes of a body
_INSTANCES = 4  # types at which an open entry is offered


@dataclass(eq=False)
class EntryOperation(Operation):
    """An entry at ground types.

    Args:
        entry: It.
        body: Its body.
        parameters: The names of its parameters.
        made: Filled with the entry that each call was made of.
    """

    entry: Entry | None = None
    body: Term | None = None
    parameters: tuple[str, ...] = ()
    made: dict[Term, Entry] = field(default_factory=dict)

    def term(self, parts: tuple[Term, ...]) -> Term:
        """The body with these arguments."""
        assert self.body is not None
        assert self.entry is not None
        term = inlined(
            Call(self.name, parts, self.version), self.name, self.parameters, self.body, self.version
        )
        self.made[term] = self.entry
        return term


class EnumerateWith(Finder):
    """Enumerates programs that may call entries of a library.

    Args:
        library: It.
        origins: Filled with the entries that each program found is made with.
        settings: What the search may do.
    """

    name: ClassVar[str] = "library parts"

    def __init__(
        self, library: Library, origins: dict[Term, tuple[Entry, ...]], settings: Settings | None = None
    ) -> None:
        self.library, self.origins = library, origins
        self.settings = settings or Settings()

    def suits(self, problem: Problem) -> bool:
        """Whether an entry may be of use here."""
        return len(problem) > 0 and bool(self._operations(material_of(problem), problem, {}))

    def find(self, problem: Problem) -> Iterator[Found | None]:
        """See `Finder.find`. Programs without an entry in them come too, so the time is not lost where none helps."""
        made: dict[Term, Entry] = {}

        def material(part: Problem) -> Material:
            found = material_of(part)
            return replace(found, operations=[*self._operations(found, problem, made), *found.operations])

        for found in Enumerate(self.settings, material).find(problem):
            if found is None:
                yield None
                continue
            entries = {e.number: e for node in found.term.walk() if (e := made.get(node)) is not None}
            if entries:
                self.origins[found.term] = tuple(entries.values())
            yield found

    def _operations(self, material: Material, problem: Problem, made: dict[Term, Entry]) -> list[Operation]:
        """Entries as operations at the types at hand, those that were used most or do most like the task first."""
        uses = self.library.use_counts()
        types, allowed = material.types, set(material.types)
        listed = self._likely(problem, uses)
        found: list[Operation] = []
        chosen = 0
        for entry in listed:
            if chosen >= _MOST:
                break
            function = entry.type
            if not 1 <= len(function.parameters) <= _MOST_ARGUMENTS or any(
                p.is_function for p in function.args
            ):
                continue
            at = [
                t for t in instances(rename_apart(function, "~e"), types) if all(a in allowed for a in t.args)
            ]
            if not at:
                continue
            try:
                body = entry.term
            except FileFormatError:
                continue  # damaged: `fsck` names it
            cost = round(entry_cost(uses.get(entry.number, 0)))
            if body.size > _MOST_SIZE or description_length(body, 0) <= cost + len(entry.parameters):
                continue  # the body says it as shortly
            chosen += 1
            wanted = {*problem.types.values(), problem.answers.type}
            at.sort(key=lambda t: -sum(a in wanted for a in t.args))
            for type_ in at[:_INSTANCES]:
                found.append(_operation(entry, body, type_, cost, made))
        return found

    def _likely(self, problem: Problem, uses: dict[int, int]) -> list[Entry]:
        """Entries to offer: half of them those that were used most, half those that behave most like the task."""
        finding = self.library.finding
        finding.refresh()
        used = [number for number, _ in sorted(uses.items(), key=lambda each: (-each[1], each[0]))]
        alike = [int(finding.numbers[p]) for p in finding.alike(as_task(problem), 4 * _MOST)]
        mixed: dict[int, None] = {}
        for k in range(max(len(used), len(alike))):
            for listed in (used, alike):
                if k < len(listed):
                    mixed[listed[k]] = None
            if len(mixed) >= 6 * _MOST:
                break
        alive = set(finding.numbers[finding.alive].tolist())
        entries = self.library.numbered([number for number in mixed if number in alive])
        return [entry for entry in entries if entry.card.term is not None]


def _operation(entry: Entry, body: Term, type_: Type, cost: int, made: dict[Term, Entry]) -> Operation:
    return EntryOperation(
        f"entry {entry.number}",
        1,
        type_.parameters,
        type_.result,
        max(cost, 1),
        entry=entry,
        body=body,
        parameters=entry.parameters,
        made=made,
    )


__all__ = ["EntryOperation", "EnumerateWith"]
