"""What growing takes from a library, and what it leaves there."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from meristem import events
from meristem.errors import FileFormatError, MeristemError
from meristem.language.terms import Module, Term
from meristem.library.card import GEOMETRIC
from meristem.library.names import made_name
from meristem.model import DataWarning, Model, ProgramModel

if TYPE_CHECKING:
    from meristem.growth.clock import Clock
    from meristem.library import Entry, Library
    from meristem.search.programs.problem import Finder
    from meristem.task.arrays import ArrayTask

_SHARE = 0.3  # of the time left that trying entries as they are may take
_MOST_PARTS = 3  # models whose readers are tried: each costs a look at the data
_UNNAMED = ("program", "table", "data", "")


def recall_from(
    library: Library, origins: dict[Term, tuple[Entry, ...]], clock: Clock, search: bool
) -> list[Finder]:
    """The finders that a library adds: its entries as they are, and a search that may call them.

    Args:
        library: It.
        origins: Filled with the entries that each program found comes from.
        clock: What is left of it bounds the first.
        search: Whether there is a search at all.
    """
    from meristem.search.enumeration.entries import EnumerateWith
    from meristem.search.programs.entries import Recall

    if not len(library):
        return []
    deadline = time.monotonic() + _SHARE * max(clock.left, 0.0)
    found: list[Finder] = [Recall(library, origins, deadline)]
    if search:
        found.append(EnumerateWith(library, origins))
    return found


def keep(
    library: Library,
    model: Model | ProgramModel,
    used: Sequence[Entry] = (),
    hub: events.Hub | None = None,
    at: float = 0.0,
) -> Entry | None:
    """Keep a model, and write down what it was made with. A library that cannot be written costs no model.

    Args:
        library: Where.
        model: It.
        used: The entries that it was made with.
        hub: Told where it could not be kept.
        at: Seconds since the work began.
    """
    as_is = len(used) == 1 and isinstance(model, ProgramModel) and _is_it(used[0], model)
    how = "as it is" if as_is else "part"
    try:
        return library.add(model, name_for(model), uses=[(entry, how) for entry in used], origin="grown")
    except MeristemError as error:
        said = f"the model is not kept in the library: {error}"
        if hub is not None:
            hub.send(events.Warned(at, said))
        else:
            warnings.warn(said, DataWarning, stacklevel=3)
        return None


def _is_it(entry: Entry, model: ProgramModel) -> bool:
    """Whether a program is the entry's, but for the names of its inputs."""
    try:
        return entry.term.size == model.term.size
    except FileFormatError:
        return False


def name_for(model: Model | ProgramModel) -> str:
    """The name of an entry for a model: its task's, or where that has none the program itself."""
    if isinstance(model, Model):
        facts: Any = model.record.get("facts")
        task = str(facts.get("name", "")) if isinstance(facts, Mapping) else ""
        target = model.schema.target.name
        return made_name(target if task in _UNNAMED else f"{target} of {task}")
    if model.name not in _UNNAMED:
        return made_name(model.name)
    from meristem.language.text import format_term

    return made_name(format_term(model.term)[:80])


def parts_for(library: Library, task: ArrayTask) -> tuple[list[ProgramModel], dict[str, Entry]]:
    """Models whose readers look at what a task shows, the most used and newest first; and their entries by hash."""
    heads = {t.name for type_ in task.input_types.values() for t in type_.walk()} & {
        "image",
        "signal",
        "vector",
    }
    uses = library.use_counts()
    listed = [e for e in library.entries() if e.shelf == GEOMETRIC and e.card.kind == "program"]
    listed.sort(key=lambda e: (-uses.get(e.number, 0), -e.number))
    models: list[ProgramModel] = []
    entries: dict[str, Entry] = {}
    for entry in listed:
        if len(models) >= _MOST_PARTS:
            break
        inside = {t.name for type_ in entry.card.input_types for t in type_.walk()}
        if not heads & inside:
            continue
        try:
            model = entry.model()
        except FileFormatError:
            continue  # damaged: `fsck` names it, growing goes on without it
        if isinstance(model, ProgramModel):
            models.append(model)
            entries[model.hash] = entry
    return models, entries


def used_by(model: ProgramModel, entries: Mapping[str, Entry]) -> list[Entry]:
    """The entries whose readers, or what is left of them, a model holds: by the name of the part."""
    inside = {(n.kind, n.label) for n in model.term.walk() if isinstance(n, Module)}
    record = model.record
    if record.get("way") == "new reader":
        return []
    found = []
    for entry in entries.values():
        try:
            parts = {(n.kind, n.label) for n in entry.term.walk() if isinstance(n, Module)}
        except FileFormatError:
            continue
        if parts & inside:
            found.append(entry)
    return found


__all__ = ["keep", "name_for", "parts_for", "recall_from", "used_by"]
