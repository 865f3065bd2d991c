"""`meristem library`: what is kept, found, compared, taken out, passed on, checked."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meristem.cli.places import check_place
from meristem.cli.session import USER_ERROR, WrongUse, colourful, note, paint, say, warn
from meristem.errors import InputError

if TYPE_CHECKING:
    from meristem.library import Entry, Library

_SECONDS = 1.0  # a person who typed a command waits that long
OWN = "default"  # the word for the user's own library


def open_library(path: str | None) -> Library:
    """The library that an option names; the user's own where it names none."""
    from meristem.library import Library

    return Library(None if path in (None, OWN) else path)


def _json(value: Any) -> None:
    say(json.dumps(value, allow_nan=False))


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for a person, or lines with tabs for a program."""
    from meristem.cli.display import width
    from meristem.model.words import clean

    listed = [[clean(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in listed:
            say("\t".join(row))
        return
    room = width()
    sizes = [max(map(len, column)) for column in zip(head, *listed, strict=True)]
    sizes[0] = min(sizes[0], 40)
    for number, row in enumerate([list(head), *listed]):
        cells = [
            cell[: size - 1] + "…" if len(cell) > size else cell.ljust(size)
            for cell, size in zip(row, sizes, strict=True)
        ]
        line = "  ".join(cells).rstrip()
        line = line[: room - 1] + "…" if len(line) > room else line
        say(paint(line, "bold", sys.stdout) if number == 0 and colourful(sys.stdout) else line)


def _listed(entry: Entry, uses: Mapping[int, int]) -> list[str]:
    used = uses.get(entry.number, 0)
    return [entry.label, entry.shelf, str(used), entry.card.type, entry.card.doc]


_HEAD = ("NAME", "SHELF", "USED", "TYPE", "ABOUT")


def list_command(library: Library, all_versions: bool, as_json: bool) -> None:
    """The entries by name."""
    entries = library.entries(all_versions=all_versions)
    uses = library.use_counts()
    if as_json:
        _json([{**entry.to_json(), "used": uses.get(entry.number, 0)} for entry in entries])
        return
    if entries:
        _rows(_HEAD, [_listed(entry, uses) for entry in entries])
    else:
        note(
            f"nothing is in {library.path} yet: `meristem grow DATA --library {library.path}` keeps what it finds"
        )


def search_command(
    library: Library, words: str | None, type_: str | None, examples: Path | None, limit: int, as_json: bool
) -> None:
    """Entries by words, type or examples.

    Raises:
        WrongUse: Nothing is asked for.
    """
    if words is None and type_ is None and examples is None:
        raise WrongUse("expected words, --type or --examples to search by")
    if limit < 1:
        raise WrongUse(f"--limit: expected 1 or more, got {limit}")
    task = None
    if examples is not None:
        from meristem.task import Task

        task = Task.from_examples(examples)
    found = library.search(words, type=type_, examples=task, limit=limit, seconds=_SECONDS)
    uses = library.use_counts()
    if as_json:
        _json(
            [
                {
                    "name": m.entry.name,
                    "version": m.entry.version,
                    "type": m.entry.card.type,
                    "doc": m.entry.card.doc,
                    "score": m.score,
                    "why": m.why,
                }
                for m in found
            ]
        )
    elif found:
        _rows(_HEAD, [_listed(m.entry, uses) for m in found])
    else:
        note("nothing fits")


def show_command(library: Library, name: str, source: bool, out: Path | None, as_json: bool) -> None:
    """All that is known of an entry; its program; or its model as a file."""
    from meristem.library.showing import lines_of

    entry = library.find(name)
    if out is not None:
        check_place(out, "--out")
        model = entry.model()
        model.save(out)
        note(f"the model is in {out}")
        return
    if source:
        if entry.card.kind == "subroutine":
            raise InputError(
                f"{entry.label!r} is a subroutine: it has no source of its own; see `show` without --source"
            )
        say(entry.model().source().rstrip("\n"))
        return
    if as_json:
        uses = [{"user": u.user, "how": u.how, "task": u.task, "at": u.at} for u in entry.uses()]
        _json({**entry.to_json(), "uses": uses})
        return
    from meristem.model.words import clean

    say(paint(clean(entry.label), "bold", sys.stdout))
    for line in lines_of(entry):
        say(f"  {line}")
    for made in library.made_with(entry):
        say(f"  made with: {clean(made.label)}")
    for use in entry.uses()[:20]:
        say(f"  used by: {clean(use.user or use.task)} ({clean(use.how)}, {use.at})")


def diff_command(library: Library, one: str, other: str | None) -> None:
    """What differs between two entries."""
    for line in library.diff(one, other).split("\n"):
        style = {"-": "red", "+": "yellow"}.get(line[:1])
        say(paint(line, style, sys.stdout) if style and not line.startswith(("---", "+++")) else line)


def history_command(library: Library, name: str, as_json: bool) -> None:
    """The versions of an entry."""
    entries = library.history(name)
    if as_json:
        _json([entry.to_json() for entry in entries])
        return
    _rows(
        ("NAME", "ADDED", "REMOVED", "ABOUT"),
        [[entry.label, entry.added, entry.removed or "-", entry.card.doc] for entry in entries],
    )


def rm_command(library: Library, names: Sequence[str]) -> None:
    """Take out entries."""
    from meristem.model.words import clean

    for name in names:
        library.find(name)  # all or none where a name is mistyped
    for name in names:
        for entry in library.rm(name):
            note(f"removed {clean(entry.label)}; `meristem library gc` forgets it")


def gc_command(library: Library, as_json: bool) -> None:
    """Forget what was removed, delete what nothing speaks of."""
    found = library.gc()
    if as_json:
        _json({"deleted": found.deleted, "objects": found.objects, "seconds": round(found.seconds, 3)})
    else:
        say(str(found))


def fsck_command(library: Library, quick: bool, as_json: bool) -> int:
    """Check a library; exit code 1 where something is damaged."""
    found = library.fsck(deep=not quick)
    if as_json:
        _json(
            {
                "ok": found.ok,
                "entries": found.entries,
                "objects": found.objects,
                "damage": [{"kind": d.kind, "what": d.what, "words": d.words} for d in found.damage],
                "notes": found.notes,
                "seconds": round(found.seconds, 3),
            }
        )
        return 0 if found.ok else USER_ERROR
    for words in found.notes:
        note(words)
    for damage in found.damage:
        say(str(damage))
    looked = f"{found.entries:,} entries, {found.objects:,} objects, {found.seconds:.1f} s"
    say(f"{'whole' if found.ok else 'damaged'}: {looked}")
    return 0 if found.ok else USER_ERROR


def add_command(library: Library, model: Path, name: str | None, licence: str | None) -> None:
    """Keep the model of a file."""
    from meristem.model import load

    entry = library.add(load(model), name, licence=licence)
    say(entry.words())


def export_command(library: Library, path: Path, names: Sequence[str], history: bool) -> None:
    """Write a pack."""
    check_place(path, "FILE")
    say(str(library.export(path, list(names) or None, history=history)))


def import_command(library: Library, path: Path, as_json: bool) -> int:
    """Take in a pack; exit code 1 where entries of it were refused."""
    from meristem.model.words import clean

    found = library.import_(path)
    if as_json:
        _json({"added": [e.label for e in found.added], "there": found.there, "refused": found.refused})
    else:
        for entry in found.added:
            note(f"added {clean(entry.label)}")
        for label, why in found.refused.items():
            warn(f"{label} was refused: {why}")
        say(str(found))
    return USER_ERROR if found.refused else 0


def picture_command(library: Library, path: Path) -> None:
    """Write the picture."""
    from meristem.model.file import write_whole

    check_place(path, "FILE")
    write_whole(path, library.picture().encode())
    note(f"the picture is in {path}")


__all__ = [
    "add_command",
    "diff_command",
    "export_command",
    "fsck_command",
    "gc_command",
    "history_command",
    "import_command",
    "list_command",
    "open_library",
    "picture_command",
    "rm_command",
    "search_command",
    "show_command",
]
