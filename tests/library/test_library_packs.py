"""Packs: what they bring, and that damaged, forged and hostile ones are refused."""

from __future__ import annotations

import json
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meristem.errors import FileFormatError
from meristem.library import Library
from meristem.library._files import digest_of
from meristem.library.card import canonical
from meristem.library.describe import describe
from meristem.types import parse_type

sys.path.insert(0, str(Path(__file__).parent))

from library_samples import EVENS, filled, program


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    with Library(tmp_path / "from") as library:
        first = library.add(program(), licence="CC0-1.0")
        library.add(program(EVENS, name="evens"), uses=[first])
        written = library.export(tmp_path / "some.pack")
        assert written.entries == ("evens@1", "two least@1")
    return tmp_path / "some.pack"


def test_a_pack_brings_its_entries(pack: Path, tmp_path: Path) -> None:
    with Library(tmp_path / "to") as library:
        found = library.import_(pack)
        assert sorted(e.label for e in found.added) == ["evens@1", "two least@1"]
        assert not found.refused
        assert library["two least"].card.provenance["licence"] == "CC0-1.0"
        assert [u.user for u in library["two least"].uses()] == ["evens@1"]
        again = library.import_(pack)
        assert again.added == []
        assert len(again.there) == 2
        assert library.fsck().ok
        library.export(tmp_path / "again.pack")
    assert (tmp_path / "again.pack").read_bytes() == pack.read_bytes()


def test_a_name_that_stands_for_something_else_is_not_overlaid(pack: Path, tmp_path: Path) -> None:
    with Library(tmp_path / "to") as library:
        library.add(program("take(x, 2)"))
        library.import_(pack)
        assert library["two least"].model()([3, 1, 2]) == [3, 1]  # type: ignore[operator]
        other = [e for e in library if e.name.startswith("two least (")]
        assert len(other) == 1
        assert other[0].model()([3, 1, 2]) == [1, 2]  # type: ignore[operator]
        assert library.import_(pack).added == []


def test_all_versions_travel(tmp_path: Path) -> None:
    with filled(tmp_path / "from") as library:
        library.export(tmp_path / "all.pack", history=True)
        library.export(tmp_path / "new.pack", ["two least"])
    with Library(tmp_path / "to") as library:
        library.import_(tmp_path / "new.pack")
        library.import_(tmp_path / "all.pack")
        names = {e.label: e.card.summary for e in library.entries(all_versions=True)}
        assert names["two least@1"] == "take(sort(x), 3)"
        assert names["two least@2"] == "take(sort(x), 2)"


@pytest.mark.parametrize("every", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_every_flipped_byte_of_a_pack_is_seen(pack: Path, tmp_path: Path, every: int) -> None:
    data = pack.read_bytes()
    with Library(tmp_path / "to") as library:
        for place in [*range(0, len(data), every), *range(len(data) - 100, len(data))]:
            damaged = bytearray(data)
            damaged[place] ^= 1 << (place % 8)
            pack.write_bytes(damaged)
            with pytest.raises(FileFormatError):
                library.import_(pack)
        for length in range(0, len(data), 7 * every):
            pack.write_bytes(data[:length])
            with pytest.raises(FileFormatError):
                library.import_(pack)
        assert len(library) == 0


def _forged(pack: Path, change: Any) -> None:
    """A pack that someone made by hand, with a checksum that holds."""
    from meristem.library.packs import _packed

    with zipfile.ZipFile(pack) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts = change(parts)
    pack.write_bytes(_packed(parts))


def _with_card(card: Any, content: bytes, name: str) -> Any:
    def change(parts: dict[str, bytes]) -> dict[str, bytes]:
        digest = digest_of(card.to_bytes())
        row = {"name": name, "version": 1, "card": digest, "uses": []}
        head = {"meristem-pack": 1, "version": "0", "entries": [row]}
        return {
            "meristem-pack.json": canonical(head),
            f"cards/{digest}": card.to_bytes(),
            f"objects/{digest_of(content)}": content,
        }

    return change


@pytest.mark.parametrize(
    ("poison", "words"),
    [
        ("answers", "does not give the answer"),
        ("score", "of its examples"),
        ("type", "another type"),
        ("shelf", "another shelf"),
        ("program", "another hash"),
        ("term", "another term"),
        ("examples", "does not answer"),
        ("name", "name"),
        ("content", "hash"),
    ],
)
def test_poisoned_entries_are_refused(pack: Path, tmp_path: Path, poison: str, words: str) -> None:
    model = program()
    name = "honest"
    if poison == "examples":
        model = program(answers=[[1, 2], [1, 7], [9, 9]])
    described = describe(model)
    card, content = described.card, described.content
    if poison == "answers":
        card = replace(card, probes=({**card.probes[0], "answer": [7, 7]}, *card.probes[1:]))
    elif poison == "score":
        described = describe(program(answers=[[1, 2], [1, 7], [9, 9]], wrong=[3]))  # its report admits it
        card, content = described.card, described.content
        card = replace(
            card, scores=({"name": "examples answered", "value": 1.0},), content=digest_of(content)
        )
    elif poison == "type":
        card = replace(card, type="(list[a]) -> list[a]")
    elif poison == "shelf":
        card = replace(card, shelf="geometric")
    elif poison == "program":
        card = replace(card, program="0" * 64)
    elif poison == "term":
        card = replace(card, term=describe(program(EVENS)).card.term)
    elif poison == "name":
        name = "../../etc/passwd"
    elif poison == "content":
        card = replace(card, content=digest_of(b"something else"))
        content = b"something else"
    _forged(pack, _with_card(card, content, name))
    with Library(tmp_path / "to") as library:
        found = library.import_(pack)
        assert not found.added
        (why,) = found.refused.values()
        if poison not in ("content",):
            assert words in why
        assert len(library) == 0
        assert library.fsck().ok


def test_an_endless_loop_ends(pack: Path, tmp_path: Path) -> None:
    from meristem.language import parse_term
    from meristem.model import Program, ProgramModel
    from meristem.values import column_from

    loop = "while(n => n >= 0, n => remainder(n + 1, 7), length(x))"
    kind = parse_type("(list[int]) -> int")
    made = Program(parse_term(loop), {"x": kind.parameters[0]}, kind.result, {}, exact=True)
    model = ProgramModel(
        made, "loop", "output", {"x": column_from([[k] for k in range(30)], kind.parameters[0])},
        column_from(list(range(30)), kind.result), {},
    )  # fmt: skip
    described = describe(model)
    _forged(pack, _with_card(described.card, described.content, "loop"))
    began = time.process_time()
    with Library(tmp_path / "to") as library:
        found = library.import_(pack)
        assert not found.added
        assert "loop@1" in found.refused
    assert time.process_time() - began < 10


@pytest.mark.parametrize("attack", ["slip", "twice", "list", "newer", "bomb", "pickle", "json"])
def test_hostile_packs_are_refused(pack: Path, tmp_path: Path, attack: str) -> None:
    def change(parts: dict[str, bytes]) -> dict[str, bytes]:
        head = json.loads(parts["meristem-pack.json"])
        if attack == "slip":
            return {**parts, "../../outside": b"x"}
        if attack == "list":
            head["entries"] = [{"name": 3}]
        if attack == "newer":
            head["meristem-pack"] = 99
        if attack == "bomb":
            return {"meristem-pack.json": b" " * (80 * 2**20) + b"{}"}
        if attack == "json":
            return {"meristem-pack.json": b"[" * 100_000}
        return {**parts, "meristem-pack.json": canonical(head)}

    if attack == "pickle":
        import pickle

        pack.write_bytes(pickle.dumps({"a": 1}) * 100)
    elif attack == "twice":
        with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(pack, "a") as archive:
            archive.writestr("meristem-pack.json", b"{}")
        data = pack.read_bytes()
        body = data[: data.rindex(b"meristem sha256 ") + len(b"meristem sha256 ")]
        pack.write_bytes(body + digest_of(body).encode())
    else:
        _forged(pack, change)
    with Library(tmp_path / "to") as library:
        with pytest.raises(FileFormatError):
            library.import_(pack)
        assert len(library) == 0
    assert not (tmp_path.parent / "outside").exists()
