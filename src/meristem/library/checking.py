"""Checking a library and what comes into it: nothing is believed that can be looked at.

A card claims a type, a shelf, scores and answers. The first, second and last are worked out again from the program,
under fuel and under a number of rows: an endless loop ends, a wrong claim is seen. Scores cannot be checked without the
data; they stay claims.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from meristem.errors import FileFormatError, MeristemError, Reason
from meristem.library._files import BLOBS, TEMPORARY, digest_of, locked
from meristem.library._index import OWN_FILES, told
from meristem.library._schema import STEPS
from meristem.library.card import ALGORITHMIC, Card
from meristem.library.describe import (
    Described,
    describe,
    described_subroutine,
    open_content,
    rows_of,
    runner_for,
)
from meristem.library.names import checked_name
from meristem.library.running import equal
from meristem.model import Model, ProgramModel
from meristem.model.value_text import json_value
from meristem.model.words import clean, count

if TYPE_CHECKING:
    from meristem.library.library import Library

_CLAIM_FUEL = 200_000  # a row, as for examples
_MOST_CLAIMS = 32
_SECONDS = 5.0  # for one entry: what takes longer is refused, whatever it does
_TOO_LONG = f"it takes more than {_SECONDS:.0f} s to try it on a few rows"
_CLOSE_FITTED = 1e-4  # other machines and versions add up in another order


@dataclass(frozen=True)
class Damage:
    """Something that is wrong.

    Args:
        kind: `index`, `object`, `entry`, `claim`, `foreign`, `link`; or of what is only untidy: `left over`.
        what: What it is about: a file, an entry, an object.
        words: What is wrong, in a sentence.
    """

    kind: str
    what: str
    words: str

    def __str__(self) -> str:
        return f"{self.what}: {self.words}"


@dataclass
class Checkup:
    """What a check found, or what a collection did.

    Args:
        entries: How many entries were looked at.
        objects: How many objects.
        damage: What is wrong.
        notes: What is untidy and does no harm.
        seconds: How long it took.
        deleted: What a collection deleted.
        collected: Whether this is what a collection did.
    """

    entries: int = 0
    objects: int = 0
    damage: list[Damage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    deleted: list[str] = field(default_factory=list)
    collected: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damage

    def __str__(self) -> str:
        if self.collected:
            files = len(self.deleted) - self.entries
            gone = f"{count(self.entries, 'entry', 'entries')}, {count(self.objects, 'object')}, {count(files, 'file')}"
            return f"deleted: {gone}" if self.deleted or self.objects else "nothing to delete"
        looked = f"{count(self.entries, 'entry', 'entries')} and {count(self.objects, 'object')} looked at"
        if self.ok:
            return f"whole: {looked}"
        return f"damaged: {looked}; " + "; ".join(map(str, self.damage[:20]))


# ---------------------------------------------------------------------------------------------- one entry


def verify(card: Card, content: bytes) -> tuple[Described, list[str]]:
    """Look at what comes with a card, and hold the card to it.

    Args:
        card: What is claimed.
        content: The bytes that it speaks of.

    Returns:
        What it is by our own work, and each claim that does not hold, in words.

    Raises:
        FileFormatError: The bytes are damaged or hostile.
    """
    if digest_of(content) != card.content:
        raise FileFormatError("its content does not have the hash that its card says")
    began = time.monotonic()
    opened = open_content(card.kind, content, "its content")
    wrong: list[str] = []
    if isinstance(opened, tuple):
        described = described_subroutine(content, {})
    else:
        if isinstance(opened, ProgramModel):
            wrong += _examples(opened, began + _SECONDS)
            if wrong and card.shelf == ALGORITHMIC:
                raise FileFormatError("; ".join(wrong))  # no need to look further
        described = describe(opened, doc=card.doc)
    own = described.card
    for key, word in (
        ("type", "type"),
        ("shelf", "shelf"),
        ("inputs", "inputs"),
        ("output", "answer"),
        ("program", "hash of its program"),
        ("term", "term"),
    ):
        if getattr(card, key) != getattr(own, key):
            wrong.append(f"its card says another {word} than it has")
    if not isinstance(opened, tuple):
        wrong += _scores(card, own)
        wrong += _claims(card, opened, began + _SECONDS)
    return described, wrong


def _scores(card: Card, own: Card) -> list[str]:
    """Whether an exact program answers as many of its examples as its card says."""
    if own.kind != "program" or own.shelf != ALGORITHMIC:
        return []
    said = {str(each.get("name")): each.get("value") for each in card.scores}.get("examples answered")
    right = own.scores[0]["value"]
    if not isinstance(said, int | float) or said > right + 1e-9:
        return [f"its card says that it answers {said!r:.20} of its examples, it answers {right:.3f} of them"]
    return []


def _examples(model: ProgramModel, end: float) -> list[str]:
    """Whether a program answers the examples that come with it, but for those that its report gives up."""
    if model.program.fit:
        return []  # a reader errs now and then, its report says how often
    runner = runner_for(model)
    if runner is None:
        return ["it is not well typed for its own examples"]
    given_up = {each.get("number") for each in model.record.get("wrong", ()) if isinstance(each, dict)}
    missed = 0
    for inputs, answer in zip(rows_of(model, _MOST_CLAIMS), model.answers.to_list(), strict=False):
        if time.monotonic() > end:
            return [_TOO_LONG]
        got = runner.answer(inputs, _CLAIM_FUEL)
        if got.reason == Reason.FUEL:
            return ["it does not end on an example that it was grown from"]
        missed += not (got.there and equal(got.value, answer))
    if missed > len(given_up):
        return [f"it does not answer {count(missed, 'example')} that it was grown from"]
    return []


def _claims(card: Card, model: Model | ProgramModel, end: float) -> list[str]:
    close = _CLOSE_FITTED if model.program.fit else 1e-9
    for probe in card.probes[:_MOST_CLAIMS]:
        if time.monotonic() > end:
            return [_TOO_LONG]
        place, wanted, failure = probe.get("example"), probe.get("answer"), probe.get("failure")
        if not isinstance(place, int) or isinstance(place, bool) or not isinstance(failure, str):
            return ["its claims cannot be read"]
        try:
            found = _answer(model, place)
        except MeristemError as error:
            return [f"it fails where it claims an answer ({clean(error, 100)})"]
        if found is None:
            return ["it claims answers to examples that it does not have"]
        value, reason = found
        if reason != failure or (not failure and not equal(_real(value), _real(wanted), close)):
            return [f"it does not give the answer that it claims for its example {place + 1}"]
    return []


def _real(value: Any) -> Any:
    """Numbers as reals, so that 1 and 1.0 of JSON are one."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    if isinstance(value, list | tuple):
        return [_real(v) for v in value]
    if isinstance(value, dict):
        return {k: _real(v) for k, v in value.items()}
    return value


def _answer(model: Model | ProgramModel, place: int) -> tuple[Any, str] | None:
    if isinstance(model, Model):
        if model.example is None or place != 0:
            return None
        return np.asarray(model.run_rows(model.example)).ravel()[:1000].tolist(), ""  # type: ignore[arg-type]
    rows = rows_of(model, place + 1)
    runner = runner_for(model)
    if not 0 <= place < len(rows) or runner is None:
        return None
    answer = runner.answer(rows[place], _CLAIM_FUEL)
    return json_value(answer.value), "" if answer.there else answer.reason.name.lower()


# ---------------------------------------------------------------------------------------------- the whole


def check_library(library: Library, *, deep: bool) -> Checkup:
    """See `Library.fsck`."""
    began = time.monotonic()
    found = Checkup()
    index = library.index
    try:
        with (
            told(library.path, "read"),
            locked(library.path, alone=False) if not index.read_only else _nothing(),
        ):
            sealed = index.sealed()
            if sealed is False:
                found.damage.append(
                    Damage(
                        "index", "index.sqlite", "it does not match its seal: bytes of it changed on the disk"
                    )
                )
            found.damage += _database(library)
            _rows(library, found, deep)
            found.damage += _folder(library, found)
    except MeristemError as error:
        found.damage.append(Damage("index", "index.sqlite", str(error)))
    except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
        # A flipped bit can make a number of a text: then whatever reads the row says so in its own way.
        said = f"a row of it cannot be read ({type(error).__name__}: {clean(error, 100)})"
        found.damage.append(Damage("index", "index.sqlite", said))
    if found.ok and not index.read_only and index.sealed() is None:
        index.seal()  # from now on a flipped bit shows; where others are at work, the last of them seals
    found.seconds = time.monotonic() - began
    return found


class _nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        return None


def _database(library: Library) -> list[Damage]:
    found = []
    for (words,) in library.index.rows("PRAGMA integrity_check(20)"):
        if words != "ok":
            found.append(Damage("index", "index.sqlite", clean(words, 200)))
    for row in library.index.rows("PRAGMA foreign_key_check")[:20]:
        found.append(
            Damage("index", "index.sqlite", f"a row of {row[0]} speaks of one of {row[2]} that is gone")
        )
    for name, newest, known in library.index.rows(
        "SELECT e.name, max(e.version), l.version FROM entry e LEFT JOIN latest l ON l.name = e.name GROUP BY e.name"
    ):
        if known is None or known < newest:
            found.append(
                Damage("entry", clean(name, 120), "its version is higher than the highest that was given")
            )
    return found


def _rows(library: Library, found: Checkup, deep: bool) -> None:
    from meristem.library.library import SMALL, row_digest, words_in
    from meristem.library.signature import FORM, pack

    good: set[str] = set()
    for digest, kind, size, inside in library.index.rows(
        "SELECT hash, kind, size, bytes IS NOT NULL FROM object"
    ):
        found.objects += 1
        name = digest.hex()
        try:
            data = library.content(name)
            if len(data) != size or bool(inside) != (size <= SMALL):
                raise FileFormatError("its size is not what its row says")
            good.add(name)
        except MeristemError as error:
            found.damage.append(Damage("object", f"{clean(kind, 20)} {name[:12]}", str(error)))
    rows = library.index.rows(
        "SELECT id, name, version, card, content, program, type, shelf, added, digest FROM entry ORDER BY id"
    )
    for number, *columns, digest in rows:
        found.entries += 1
        name, version, card_hash, content = columns[:4]
        label = clean(f"{name}@{version}", 120)
        if row_digest(columns) != digest:
            found.damage.append(Damage("entry", label, "its row does not match its hash"))
            continue
        if card_hash.hex() not in good or content.hex() not in good:
            found.damage.append(Damage("entry", label, "what it holds is damaged or missing"))
            continue
        try:
            checked_name(name)
            card = library.card(card_hash)
            if (card.content, card.program, card.type, card.shelf) != (
                content.hex(),
                columns[4].hex(),
                columns[5],
                columns[6],
            ):
                raise FileFormatError("its row says something else than its card")
            words = sorted(
                r[0] for r in library.index.rows("SELECT word FROM word WHERE entry = ?", (number,))
            )
            if words != sorted(set(words_in(name, card))):
                raise FileFormatError("the words by which it is found are not its own")
            known = library.index.rows(
                "SELECT form, same, signature FROM behaviour WHERE entry = ?", (number,)
            )
            if not known:
                raise FileFormatError("what it does is not described")
            if deep:
                described, wrong = verify(card, library.content(card.content))
                found.damage += [Damage("claim", label, words_) for words_ in wrong]
                holds, asked, same = described.behaviour
                form, kept, signature = known[0]
                if form == FORM and (
                    signature != pack(holds, asked) or kept != (None if same is None else bytes.fromhex(same))
                ):
                    raise FileFormatError("what is kept of its behaviour is not what it does")
        except MeristemError as error:
            found.damage.append(Damage("entry", label, str(error)))


def _folder(library: Library, found: Checkup) -> list[Damage]:
    """Files that should be there and others."""
    damage: list[Damage] = []
    root = library.path
    known = {row[0].hex(): row[1] for row in library.index.rows("SELECT hash, bytes IS NULL FROM object")}
    copies = {f"index-version-{k}.sqlite" for k in range(1, len(STEPS))}
    for item in sorted(root.iterdir()):
        mode = os.lstat(item).st_mode
        if stat.S_ISLNK(mode):
            damage.append(
                Damage("link", clean(item.name, 120), "a link: a library follows none; take it away")
            )
        elif item.name in (BLOBS, TEMPORARY):
            if not stat.S_ISDIR(mode):
                damage.append(Damage("foreign", item.name, "no folder; take it away"))
        elif item.name in copies:
            found.notes.append(
                f"{item.name} is a copy from before the library was brought to a newer version"
            )
        elif item.name not in OWN_FILES:
            damage.append(Damage("foreign", clean(item.name, 120), "not of the library; take it away"))
    for path in library.blobs.walk():
        if stat.S_ISLNK(os.lstat(path).st_mode):
            damage.append(
                Damage("link", clean(path.name, 120), "a link: a library follows none; take it away")
            )
        elif not library.blobs.is_well_placed(path):
            damage.append(Damage("foreign", clean(path.name, 120), "no blob; take it away"))
        elif not known.get(path.name):
            if not library.blobs.holds(path.name):
                damage.append(Damage("object", path.name[:12], "a blob that nothing speaks of, and damaged"))
            found.notes.append(f"the blob {path.name[:12]} is not spoken of: `gc` deletes it")
    for path in _temporary(library):
        found.notes.append(f"{clean(path.name, 60)} was left over when a process died: `gc` deletes it")
    return damage


def _temporary(library: Library) -> Iterator[Any]:
    folder = library.path / TEMPORARY
    if folder.is_dir():
        yield from sorted(folder.iterdir())


__all__ = ["Checkup", "Damage", "check_library", "verify"]
