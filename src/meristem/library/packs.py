"""Packs: entries in one file, to be passed on. A hash covers every byte of it.

A zip with `meristem-pack.json` (which entries, by name and version), `cards/HASH` and `objects/HASH`; its comment is
`meristem sha256 HEX`, the SHA-256 of every byte before HEX, as in a model's file. That finds damage. Against malice
each entry is read as a stranger's, tried under fuel, and held to what its card claims; what does not hold is left out.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meristem._version import __version__
from meristem.errors import FileFormatError, MeristemError
from meristem.library._files import digest_of, is_digest
from meristem.library.card import MOST_BYTES as MOST_CARD
from meristem.library.card import Card, canonical
from meristem.library.checking import verify
from meristem.library.describe import Described
from meristem.library.entry import Entry
from meristem.library.names import LONGEST, checked_name
from meristem.model.file import parse_json, read_bytes, write_whole
from meristem.model.words import clean, count

if TYPE_CHECKING:
    from meristem.library.library import Library

FORMAT = 1
_COMMENT = b"meristem sha256 "
_LIST = "meristem-pack.json"
_STAMP = (1980, 1, 1, 0, 0, 0)  # the same entries give the same bytes whenever they are written
_MOST_BYTES = 4 * 2**30
_MOST_LIST = 64 * 2**20
_MOST_ENTRIES = 200_000
_BATCH = 50


@dataclass(frozen=True)
class Exported:
    """What was written.

    Args:
        path: Where.
        entries: As `name@version`.
        size: Bytes of the file.
    """

    path: Path
    entries: tuple[str, ...]
    size: int

    def __str__(self) -> str:
        return f"{count(len(self.entries), 'entry', 'entries')} in {self.path}"


@dataclass
class Imported:
    """What came in.

    Args:
        added: Entries that are new, under the names they have here.
        there: Those that were there already, as `name@version` here.
        refused: Those that were left out, by name, with the reason.
    """

    added: list[Entry] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        said = [f"{count(len(self.added), 'entry', 'entries')} added"]
        if self.there:
            said.append(f"{len(self.there):,} there already")
        if self.refused:
            said.append(f"{len(self.refused):,} refused")
        return ", ".join(said)


def export(
    library: Library, path: str | os.PathLike[str], names: Iterable[str] | None, *, history: bool
) -> Exported:
    """See `Library.export`."""
    chosen: dict[int, Entry] = {}
    listed = [library.find(name) for name in names] if names is not None else library.entries()
    for entry in listed:
        versions = [e for e in library.history(entry.name) if not e.removed] if history else [entry]
        chosen.update((each.number, each) for each in versions)
    entries = sorted(chosen.values(), key=lambda e: (e.name, e.version))
    parts: dict[str, bytes] = {}
    rows = []
    for entry in entries:
        card = entry.card.to_bytes()
        digest = digest_of(card)
        parts[f"cards/{digest}"] = card
        parts[f"objects/{entry.card.content}"] = library.content(entry.card.content)
        used = [e.label for e in library.made_with(entry) if e.number in chosen]
        rows.append({"name": entry.name, "version": entry.version, "card": digest, "uses": used})
    head = canonical({"meristem-pack": FORMAT, "version": __version__, "entries": rows})
    data = _packed({_LIST: head, **dict(sorted(parts.items()))})
    write_whole(path, data)
    return Exported(Path(path), tuple(e.label for e in entries), len(data))


def _packed(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name, _STAMP)
            # Models are zips themselves.
            info.compress_type = zipfile.ZIP_STORED if name.startswith("objects/") else zipfile.ZIP_DEFLATED
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, data)
        archive.comment = _COMMENT + b"0" * 64
    body = buffer.getvalue()[:-64]
    return body + digest_of(body).encode()


@dataclass(frozen=True)
class _Listed:
    name: str
    version: int
    card: str
    uses: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"


class _Pack:
    """A pack that is read; its checksum holds.

    Args:
        data: Its bytes.
        name: What messages call it.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        if len(data) < 200 or data[:4] != b"PK\x03\x04" or data[-64 - len(_COMMENT) : -64] != _COMMENT:
            raise FileFormatError(
                f"{name} is no pack of a Meristem library, or not complete: expected a file that `export` wrote"
            )
        if digest_of(data[:-64]).encode() != data[-64:]:
            raise FileFormatError(
                f"{name} is damaged: its checksum does not match; copy it again from where it came"
            )
        try:
            self.archive = zipfile.ZipFile(io.BytesIO(data))
            infos = self.archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, RuntimeError) as error:
            raise FileFormatError(f"{name} is damaged: {error}") from None
        self.sizes = {info.filename: info.file_size for info in infos}
        if len(self.sizes) != len(infos) or len(infos) > 2 * _MOST_ENTRIES + 1:
            raise FileFormatError(f"{name} holds a part twice, or too many")
        if sum(self.sizes.values()) > _MOST_BYTES:
            raise FileFormatError(f"{name} unpacks to more than {_MOST_BYTES >> 30} GB")
        for part in self.sizes:
            folder, _, digest = part.partition("/")
            if part != _LIST and not (folder in ("cards", "objects") and is_digest(digest)):
                raise FileFormatError(f"{name} holds {clean(part, 60)!r}, which is no part of a pack")
        head = parse_json(self.read(_LIST, _MOST_LIST), name)
        form = head.get("meristem-pack") if isinstance(head, dict) else None
        if type(form) is not int or form < 1:
            raise FileFormatError(f"{name} does not say which format it has")
        if form > FORMAT:
            raise FileFormatError(
                f"{name} has format {form}, this Meristem reads up to {FORMAT}; update with: pip install -U meristem"
            )
        rows = head.get("entries")
        if not isinstance(rows, list) or len(rows) > _MOST_ENTRIES:
            raise FileFormatError(f"{name} does not list its entries")
        self.listed = [_listed(row, name) for row in rows]

    def read(self, part: str, most: int = _MOST_BYTES) -> bytes:
        """The bytes of a part.

        Raises:
            FileFormatError: It is missing, damaged, or larger than it says.
        """
        if part not in self.sizes:
            raise FileFormatError(f"{self.name} lacks {part[:40]}")
        size = self.sizes[part]
        if size > most:
            raise FileFormatError(f"{self.name} holds {part[:40]} of {size:,} bytes, more than it may have")
        try:
            with self.archive.open(part) as stream:
                data = stream.read(
                    size + 1
                )  # one more than stated shows a part that unpacks to more than it says
        except (
            zipfile.BadZipFile,
            NotImplementedError,
            EOFError,
            ValueError,
            RuntimeError,
            OSError,
        ) as error:
            raise FileFormatError(f"{self.name} is damaged: {error}") from None
        except Exception as error:
            # What the decompressors raise has no common ancestor.
            raise FileFormatError(f"{self.name} is damaged: {error}") from None
        digest = part.partition("/")[2]
        if len(data) != size or (digest and digest_of(data) != digest):
            raise FileFormatError(f"{self.name} is damaged: {part[:40]} is not what its name says")
        return data


def _listed(row: Any, name: str) -> _Listed:
    if not isinstance(row, dict) or row.keys() != {"name", "version", "card", "uses"}:
        raise FileFormatError(f"{name} lists an entry in a way that this version does not know")
    version, uses = row["version"], row["uses"]
    if (
        not isinstance(row["name"], str)
        or len(row["name"]) > 1000
        or type(version) is not int
        or not 0 < version < 10**9
        or not is_digest(row["card"])
        or not isinstance(uses, list)
        or len(uses) > 1000
        or not all(isinstance(use, str) and len(use) <= 1000 for use in uses)
    ):
        raise FileFormatError(f"{name} lists an entry that cannot be one")
    return _Listed(row["name"], version, row["card"], tuple(uses))


def import_pack(library: Library, path: str | os.PathLike[str]) -> Imported:
    """See `Library.import_`."""
    pack = _Pack(read_bytes(path), clean(os.fspath(path), 200))
    found = Imported()
    here: dict[str, Entry] = {}  # by label in the pack
    names = _names_for(library, pack)
    waiting: list[tuple[_Listed, str, Described]] = []

    def store() -> None:
        things = [(name, made, [here[u] for u in each.uses if u in here]) for each, name, made in waiting]
        for (each, _, _), entry in zip(waiting, library.put(things) if things else [], strict=True):
            here[each.label] = entry
            found.added.append(entry)
        waiting.clear()

    for each in _in_order(pack.listed):
        if any(use == other.label for use in each.uses for other, _, _ in waiting):
            store()  # so that what it uses is known here
        said = clean(each.label, 120)
        try:
            checked_name(each.name)
            card = Card.from_bytes(pack.read(f"cards/{each.card}", MOST_CARD), f"the card of {said}")
            known = library.by_content(card.content, names[each.name])
            if known is not None:
                here[each.label] = known
                found.there.append(known.label)
                continue
            content = pack.read(f"objects/{card.content}")
            described, wrong = verify(card, content)
            if wrong:
                raise FileFormatError("; ".join(wrong))
        except MeristemError as error:
            found.refused[said] = str(error)
            continue
        # What is only shown is made anew: another version may say it in other words, a stranger in wrong ones.
        own = described.card
        kept = replace(card, summary=own.summary, parts=own.parts, statistics=own.statistics)
        waiting.append((each, names[each.name], replace(described, card=kept)))
        if len(waiting) >= _BATCH:
            store()
    store()
    return found


def _in_order(listed: list[_Listed]) -> list[_Listed]:
    """Entries after those that they use, as far as that goes; otherwise by name and version."""
    by_label = {each.label: each for each in listed}
    found: dict[str, _Listed] = {}
    opened: set[str] = set()
    for first in sorted(listed, key=lambda e: (e.name, e.version)):
        stack = [first]
        while stack:
            each = stack[-1]
            waiting = [u for u in each.uses if u in by_label and u not in found and u not in opened]
            opened.add(each.label)
            if waiting:
                stack.append(by_label[waiting[0]])
            else:
                found.setdefault(each.label, stack.pop())
    return list(found.values())


def _names_for(library: Library, pack: _Pack) -> dict[str, str]:
    """By name in the pack the name here.

    A name that stands for something else here is not overlaid: what comes gets a name of its own, made from its
    content, so that it is the same in every library. It is the same lineage where a version here is one of the pack's.
    """
    contents: dict[str, set[str]] = {}
    for each in pack.listed:
        try:
            card = Card.from_bytes(pack.read(f"cards/{each.card}", MOST_CARD))
        except MeristemError:
            continue  # refused later, with words
        contents.setdefault(each.name, set()).add(card.content)
    found = {}
    for each in pack.listed:
        mine = {
            row[0].hex()
            for row in library.index.rows("SELECT content FROM entry WHERE name = ?", (each.name,))
        }
        theirs = contents.get(each.name, set())
        if not mine or mine & theirs or not theirs:
            found[each.name] = each.name
        else:
            mark = f" ({digest_of(canonical(sorted(theirs)))[:8]})"
            found[each.name] = each.name[: LONGEST - len(mark)].rstrip() + mark
    return found


__all__ = ["FORMAT", "Exported", "Imported", "export", "import_pack"]
