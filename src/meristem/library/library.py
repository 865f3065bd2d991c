"""Library: programs that solved something, kept with names, versions and history, for the next task to start from.

>>> import tempfile
>>> library = Library(tempfile.mkdtemp())
>>> len(library)
0
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meristem.errors import FileFormatError, InputError
from meristem.library._files import Blobs, checked_folder, digest_of
from meristem.library._index import Index
from meristem.library.card import Card, canonical
from meristem.library.describe import Described, describe
from meristem.library.entry import Entry, Use
from meristem.library.migrating import describe_all
from meristem.library.names import checked_name, made_name, split_name, words_of
from meristem.library.places import default_path
from meristem.library.signature import FORM, pack
from meristem.model.words import clean

if TYPE_CHECKING:
    from meristem.language.vocabulary import Subroutine
    from meristem.library.checking import Checkup
    from meristem.library.finding import Finding, Match
    from meristem.library.packs import Exported, Imported
    from meristem.model import Model, ProgramModel
    from meristem.task.examples import ExampleTask
    from meristem.types import Type

SMALL = 64 * 1024
"""Objects up to so many bytes stand in the index: a quarter of a million tiny files are slow on any disk."""
_KEPT_CARDS = 4096
_COLUMNS = "id, name, version, card, added, removed"


class LibraryWarning(UserWarning):
    """Something about a library that its user should know."""


class Library:
    """A library of programs in a folder. Any number of processes may use it at once.

    What `add` gave back is on disk: a process that is killed at any moment loses nothing of it. Nothing in a library is
    ever run as code when it is opened; entries of strangers are checked as models from strangers are.

    Args:
        path: Its folder, made where none is; the user's own library where left out (`MERISTEM_LIBRARY`, or the system's
            place for data of a user).

    Raises:
        InputError: The folder cannot be used.
        FileFormatError: It holds something else, or is damaged.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        try:
            self.path = Path(default_path() if path is None else path).expanduser().absolute()
            self.path.mkdir(parents=True, exist_ok=True)
            self.path = self.path.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            words = getattr(error, "strerror", None) or error
            raise InputError(f"cannot use {str(path)!r} as a library: {words}") from None
        checked_folder(self.path)
        self.blobs = Blobs(self.path)
        self.index = Index(self.path, {2: partial(describe_all, self.blobs)})
        self._cards: OrderedDict[bytes, Card] = OrderedDict()

    @classmethod
    def of(cls, value: Library | str | os.PathLike[str] | bool | None) -> Library | None:
        """The library that an argument names: a folder, `True` for the user's own, None or `False` for none.

        Raises:
            InputError: It names none.
        """
        if value is None or value is False:
            return None
        if isinstance(value, Library):
            return value
        if value is True:
            return cls()
        if isinstance(value, str | os.PathLike):
            return cls(value)
        raise InputError(
            f"library: expected the folder of a library, a Library, or True for your own, got {type(value).__name__}"
        )

    def __repr__(self) -> str:
        return f"<Meristem library {str(self.path)!r}, {len(self):,} entries>"

    def close(self) -> None:
        """Let go of the files. The library opens them again when it is used."""
        self.index.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------ putting in

    def add(
        self,
        thing: Model | ProgramModel | Subroutine,
        name: str | None = None,
        *,
        doc: str = "",
        uses: Iterable[Entry | tuple[Entry, str]] = (),
        licence: str | None = None,
        origin: str = "added",
    ) -> Entry:
        """Keep a model or a subroutine; it is on disk when this returns.

        A name that is there gets a new version, unless its newest one is the same program of the same examples: then
        that is given.

        Args:
            thing: What to keep.
            name: Its name; made from the model's own where left out.
            doc: A line for a person.
            uses: Entries that it was made with, each perhaps with how (`as it is`, `part`, ...).
            licence: Under which others may use it.
            origin: How it came here.

        Raises:
            InputError: The name cannot be one, or the library cannot be written.
        """
        described = describe(thing, doc=doc, provenance={"licence": licence, "origin": origin})
        if name is None:
            own = str(described.card.provenance.get("task", ""))
            name = made_name(own if described.card.kind != "table" else described.card.output[0])
        return self.put([(checked_name(name), described, list(uses))])[0]

    def put(
        self, things: Sequence[tuple[str, Described, Sequence[Entry | tuple[Entry, str]]]]
    ) -> list[Entry]:
        """Keep several described things in one transaction: all of them or none; see `add`."""
        with self.index.writing():
            for _, described, _ in things:  # blobs first: no row may speak of bytes that are not on disk
                for data in (described.content, described.card.to_bytes()):
                    if len(data) > SMALL:
                        self.blobs.put(digest_of(data), data)
            with self.index.transaction() as connection:
                numbers = [
                    self._insert(connection, name, described, uses) for name, described, uses in things
                ]
        found = self._entries(f"SELECT {_COLUMNS} FROM entry WHERE id IN ({_marks(numbers)})", numbers)
        by_number = {entry.number: entry for entry in found}
        return [by_number[number] for number in numbers]

    def _insert(
        self,
        connection: sqlite3.Connection,
        name: str,
        described: Described,
        uses: Sequence[Entry | tuple[Entry, str]],
    ) -> int:
        card = described.card
        newest = connection.execute(
            "SELECT id, card, program FROM entry WHERE name = ? AND removed IS NULL ORDER BY version DESC LIMIT 1",
            (name,),
        ).fetchone()
        card_bytes = card.to_bytes()
        card_hash = bytes.fromhex(digest_of(card_bytes))
        if newest is not None and (newest[1] == card_hash or self._same(newest[1], newest[2], card)):
            number = int(newest[0])
        else:
            for kind, digest, data in (
                (card.kind, bytes.fromhex(card.content), described.content),
                ("card", card_hash, card_bytes),
            ):
                connection.execute(
                    "INSERT OR IGNORE INTO object (hash, kind, size, bytes) VALUES (?, ?, ?, ?)",
                    (digest, kind, len(data), None if len(data) > SMALL else data),
                )
            version = connection.execute(
                "INSERT INTO latest VALUES (?, 1) ON CONFLICT(name) DO UPDATE SET version = version + 1 "
                "RETURNING version",
                (name,),
            ).fetchone()[0]
            columns = [name, version, card_hash, bytes.fromhex(card.content), bytes.fromhex(card.program)]
            columns += [card.type, card.shelf, _now()]
            number = int(
                connection.execute(
                    "INSERT INTO entry (name, version, card, content, program, type, shelf, added, digest) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                    (*columns, row_digest(columns)),
                ).fetchone()[0]
            )
            connection.executemany(
                "INSERT OR IGNORE INTO word VALUES (?, ?)", [(word, number) for word in words_in(name, card)]
            )
            holds, asked, same = described.behaviour
            connection.execute(
                "INSERT INTO behaviour VALUES (?, ?, ?, ?)",
                (number, FORM, None if same is None else bytes.fromhex(same), pack(holds, asked)),
            )
        task = str(card.provenance.get("task", ""))
        for each in uses:
            entry, how = each if isinstance(each, tuple) else (each, "part")
            if entry.number != number:
                connection.execute(
                    "INSERT INTO use (used, user, how, task, at) VALUES (?, ?, ?, ?, ?)",
                    (entry.number, number, how, task, _now()),
                )
        return number

    def _same(self, card_hash: bytes, program: bytes, card: Card) -> bool:
        """Whether an entry is the same program grown of the same data: a second search gives no new version."""
        if program != bytes.fromhex(card.program):
            return False
        with contextlib.suppress(FileFormatError):
            known = self.card(card_hash)
            return all(known.provenance.get(k) == card.provenance.get(k) for k in ("data", "task")) and (
                known.doc == card.doc and known.probes == card.probes
            )
        return False

    def note_use(self, used: Entry, task: str, how: str = "as it is", user: Entry | None = None) -> None:
        """Write down that an entry was used.

        Args:
            used: The entry.
            task: The name of the task.
            how: What for.
            user: The entry that was made with it.
        """
        with self.index.writing(), self.index.transaction() as connection:
            connection.execute(
                "INSERT INTO use (used, user, how, task, at) VALUES (?, ?, ?, ?, ?)",
                (used.number, None if user is None else user.number, how, clean(task, 300), _now()),
            )

    # ------------------------------------------------------------------------------------------ taking out

    def __len__(self) -> int:
        """How many entries there are, the newest version of each name counted."""
        return int(self.index.rows("SELECT count(DISTINCT name) FROM entry WHERE removed IS NULL")[0][0])

    def __iter__(self) -> Iterator[Entry]:
        """The newest version of each entry, by name."""
        return iter(self.entries())

    def __contains__(self, name: object) -> bool:
        with contextlib.suppress(InputError):
            self.find(str(name))
            return True
        return False

    def __getitem__(self, name: str) -> Entry:
        """The entry of a name, its newest version; `library["sum@2"]` is its second."""
        try:
            return self.find(name)
        except InputError as error:
            raise _NoEntry(str(error)) from None

    def find(self, name: str) -> Entry:
        """The entry of a name, or of `name@version`.

        Raises:
            InputError: There is none.
        """
        plain, version = split_name(name)
        sql = f"SELECT {_COLUMNS} FROM entry WHERE name = ? AND removed IS NULL"
        values: tuple[Any, ...] = (plain,)
        if version is not None:
            sql, values = sql + " AND version = ?", (plain, version)
        found = self._entries(sql + " ORDER BY version DESC LIMIT 1", values)
        if found:
            return found[0]
        import difflib

        names = [
            row[0]
            for row in self.index.rows("SELECT DISTINCT name FROM entry WHERE removed IS NULL LIMIT 20000")
        ]
        near = difflib.get_close_matches(plain, names, 3)
        hint = (
            f"; there is {', '.join(map(repr, near))}"
            if near
            else "; `meristem library list` shows what there is"
        )
        raise InputError(f"there is no entry {clean(name)!r:.120} in {str(self.path)!r}{hint}")

    def entries(self, *, all_versions: bool = False, limit: int | None = None) -> list[Entry]:
        """The entries by name, the newest version of each or all of them."""
        newest = (
            ""
            if all_versions
            else (
                "AND version = (SELECT max(version) FROM entry e WHERE e.name = entry.name AND e.removed IS NULL)"
            )
        )
        sql = f"SELECT {_COLUMNS} FROM entry WHERE removed IS NULL {newest} ORDER BY name, version"
        found = []
        for row in self.index.rows(sql + ("" if limit is None else f" LIMIT {int(limit)}")):
            try:
                found.append(self._entry(row))
            except FileFormatError as error:  # the others are as good as ever
                said = f"the entry {clean(row[1], 120)}@{row[2]} is left out: {error}; see `meristem library fsck`"
                warnings.warn(said, LibraryWarning, stacklevel=2)
        return found

    def history(self, name: str) -> list[Entry]:
        """All versions of an entry, the oldest first, those that were removed and not yet collected too.

        Raises:
            InputError: There is none.
        """
        plain, _ = split_name(name)
        found = self._entries(f"SELECT {_COLUMNS} FROM entry WHERE name = ? ORDER BY version", (plain,))
        if not found:
            self.find(plain)
        return found

    def diff(self, one: str, other: str | None = None) -> str:
        """What differs between two entries, line by line; between the last two versions where one is named.

        Raises:
            InputError: One of them is not there.
        """
        from meristem.library.showing import difference

        right = self.find(one if other is None else other)
        left: Entry | None
        if other is not None:
            left = self.find(one)
        else:
            earlier = [e for e in self.history(right.name) if e.version < right.version and not e.removed]
            left = earlier[-1] if earlier else None
        if left is None:
            raise InputError(f"{right.label!r} is the only version; name two entries to compare")
        return difference(left, right)

    def rm(self, name: str) -> list[Entry]:
        """Take out an entry with all its versions, or one version: `rm("sum@2")`.

        It is not found any more, and `gc` forgets it. What was made with it goes on as it is: programs hold all that
        they need.

        Returns:
            The versions that were taken out.

        Raises:
            InputError: There is none.
        """
        plain, version = split_name(name)
        self.find(name)
        with self.index.writing(), self.index.transaction() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM entry WHERE name = ? AND removed IS NULL AND (? IS NULL OR version = ?)",
                (plain, version, version),
            ).fetchall()
            connection.executemany(
                "UPDATE entry SET removed = ? WHERE id = ?", [(_now(), row[0]) for row in rows]
            )
        return [self._entry(row) for row in rows]

    def uses(self, entry: Entry) -> list[Use]:
        """What used an entry, the latest first."""
        rows = self.index.rows(
            "SELECT u.how, u.task, u.at, e.name, e.version FROM use u LEFT JOIN entry e ON e.id = u.user "
            "WHERE u.used = ? ORDER BY u.id DESC",
            (entry.number,),
        )
        return [
            Use(entry.label, f"{name}@{version}" if name is not None else "", how, task, at)
            for how, task, at, name, version in rows
        ]

    def made_with(self, entry: Entry) -> list[Entry]:
        """The entries that an entry was made with."""
        return self._entries(
            f"SELECT {_COLUMNS} FROM entry WHERE id IN (SELECT used FROM use WHERE user = ?) ORDER BY name, version",
            (entry.number,),
        )

    def use_counts(self) -> dict[int, int]:
        """By the number of an entry, how often it was used."""
        return dict(self.index.rows("SELECT used, count(*) FROM use GROUP BY used"))

    def links(self) -> list[tuple[int, int, str]]:
        """Who uses what: (number of the used entry, number of the one that uses it, how)."""
        rows = self.index.rows("SELECT DISTINCT used, user, how FROM use WHERE user IS NOT NULL")
        return [(int(a), int(b), str(how)) for a, b, how in rows]

    # ------------------------------------------------------------------------------------------ finding

    @cached_property
    def finding(self) -> Finding:
        """What finds entries; it keeps what it read in memory."""
        from meristem.library.finding import Finding

        return Finding(self)

    def search(
        self,
        words: str | None = None,
        *,
        type: str | Type | None = None,
        examples: Any = None,
        task: ExampleTask | None = None,
        limit: int = 20,
        seconds: float | None = None,
    ) -> list[Match]:
        """Entries that fit all that is asked, the best first.

        Args:
            words: Words of the name, the line of documentation, the functions inside.
            type: A type that an entry's should fit: `"list[int] -> int"`. Variables stand for anything on both sides.
            examples: Input-output examples, as `Task.from_examples` takes them: entries that answer all of them.
            task: A task: entries that solved tasks like it, or behave as it asks.
            limit: The most that are given.
            seconds: How long entries are run on the examples, those that may answer them first; 0.04 where left out.

        Raises:
            InputError: Nothing is asked, or it cannot be read.
        """
        from meristem.library.finding import SECONDS

        limits = SECONDS if seconds is None else seconds
        return self.finding.search(
            words, type=type, examples=examples, task=task, limit=limit, seconds=limits
        )

    # ------------------------------------------------------------------------------------------ objects

    def content(self, digest: str) -> bytes:
        """The bytes of an object, held to their hash.

        Raises:
            FileFormatError: They are missing or damaged.
        """
        rows = self.index.rows("SELECT bytes FROM object WHERE hash = ?", (bytes.fromhex(digest),))
        if not rows:
            raise FileFormatError(f"the object {digest[:12]} is missing in the library {str(self.path)!r}")
        data = rows[0][0]
        if data is None:
            return self.blobs.get(digest)
        if digest_of(data) != digest:
            raise FileFormatError(
                f"the object {digest[:12]} in the library {str(self.path)!r} is damaged; see `meristem library fsck`"
            )
        return bytes(data)

    def card(self, digest: bytes) -> Card:
        """A card by its hash.

        Raises:
            FileFormatError: It is missing or damaged.
        """
        found = self._cards.get(digest)
        if found is None:
            found = Card.from_bytes(self.content(digest.hex()), f"the card {digest.hex()[:12]}")
            self._cards[digest] = found
            if len(self._cards) > _KEPT_CARDS:
                self._cards.popitem(last=False)
        else:
            self._cards.move_to_end(digest)
        return found

    def _entry(self, row: tuple[Any, ...]) -> Entry:
        number, name, version, card, added, removed = row
        return Entry(self, int(number), name, int(version), self.card(card), added, removed or "")

    def _entries(self, sql: str, values: Sequence[Any] = ()) -> list[Entry]:
        return [self._entry(row) for row in self.index.rows(sql, values)]

    def numbered(self, numbers: Sequence[int]) -> list[Entry]:
        """Entries by their numbers, in that order; those that are gone or damaged are left out."""
        found: dict[int, Entry] = {}
        for start in range(0, len(numbers), 500):
            part = list(numbers[start : start + 500])
            rows = self.index.rows(f"SELECT {_COLUMNS} FROM entry WHERE id IN ({_marks(part)})", part)
            for row in rows:
                with contextlib.suppress(FileFormatError):  # damaged: `fsck` names it
                    found[int(row[0])] = self._entry(row)
        return [found[number] for number in numbers if number in found]

    def by_content(self, content: str, name: str) -> Entry | None:
        """The entry of a name that holds this content, its newest version; None where there is none."""
        found = self._entries(
            f"SELECT {_COLUMNS} FROM entry WHERE name = ? AND content = ? AND removed IS NULL "
            "ORDER BY version DESC LIMIT 1",
            (name, bytes.fromhex(content)),
        )
        return found[0] if found else None

    def forget(self) -> None:
        """Drop what was kept in memory."""
        self._cards.clear()
        self.__dict__.pop("finding", None)

    # ------------------------------------------------------------------------------------------ care

    def fsck(self, *, deep: bool = True) -> Checkup:
        """Check everything: files, rows, hashes, types, and (deep) that each entry does what its card claims.

        Returns:
            What was found; `ok` where nothing is damaged.
        """
        from meristem.library.checking import check_library

        return check_library(self, deep=deep)

    def gc(self) -> Checkup:
        """Forget what was removed, and delete what nothing speaks of: objects, blobs, temporary files.

        Returns:
            What was deleted.
        """
        from meristem.library.collecting import collect

        return collect(self)

    def export(
        self, path: str | os.PathLike[str], names: Iterable[str] | None = None, *, history: bool = False
    ) -> Exported:
        """Write entries to one file, a pack, with a hash over every byte.

        Args:
            path: The file.
            names: The entries, `name` or `name@version`; all of them where left out.
            history: Whether all versions go along.

        Raises:
            InputError: An entry is not there, or the file cannot be written.
        """
        from meristem.library.packs import export

        return export(self, path, names, history=history)

    def import_(self, path: str | os.PathLike[str]) -> Imported:
        """Take in the entries of a pack, each after it was verified: what does not do what it claims is refused.

        Raises:
            InputError: The file is not there.
            FileFormatError: It is damaged, hostile, or no pack.
        """
        from meristem.library.packs import import_pack

        return import_pack(self, path)

    def picture(self) -> str:
        """The library as an SVG: its two shelves, and who uses what."""
        from meristem.library.picture import library_picture

        return library_picture(self)

    def _repr_html_(self) -> str:
        return self.picture()


class _NoEntry(InputError, KeyError):
    """There is no such entry. A `KeyError` too, as of any mapping."""

    def __str__(self) -> str:
        return str(self.args[0])


def row_digest(columns: Sequence[Any]) -> bytes:
    """The hash of the columns of a row that never change."""
    return bytes.fromhex(digest_of(canonical([c.hex() if isinstance(c, bytes) else c for c in columns])))


def words_in(name: str, card: Card) -> list[str]:
    """The words by which an entry is found."""
    names = " ".join([*card.names, card.output[0]])
    text = " ".join([name, card.doc, " ".join(card.parts), names, str(card.provenance.get("task", ""))])
    return words_of(text)[:300]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


__all__ = ["SMALL", "Library", "LibraryWarning", "row_digest", "words_in"]
