"""The store: what goes in comes out, bit for bit, by name and version, in any number of processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import meristem as ms
from meristem.errors import FileFormatError, InputError
from meristem.language import Subroutine, format_term
from meristem.library import Card, Library, default_path
from meristem.library._schema import VERSION
from meristem.library.names import checked_name, made_name, split_name, words_of
from meristem.types import parse_type

sys.path.insert(0, str(Path(__file__).parent))

from library_samples import EVENS, filled, large_program, program, state_of

FIXTURE = Path(__file__).parents[1] / "fixtures" / "library-version-1"


def test_a_model_comes_back_bit_for_bit(tmp_path: Path) -> None:
    model, large = program(), large_program()
    with Library(tmp_path) as library:
        assert library.add(model).label == "two least@1"
        library.add(large)
    with Library(tmp_path) as library:
        assert len(library) == 2
        assert [entry.label for entry in library] == ["large 0@1", "two least@1"]
        entry = library["two least"]
        back = entry.model()
        assert isinstance(back, ms.ProgramModel)
        assert back.to_bytes() == model.to_bytes()
        assert back([7, 5, 6]) == [5, 6]
        assert library["large 0"].model().to_bytes() == large.to_bytes()
        assert "two least" in library
        assert "three" not in library
    blobs = [p for p in (tmp_path / "blobs").rglob("*") if p.is_file()]
    assert len(blobs) >= 1
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o444 for p in blobs)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_card_says_what_an_entry_is(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        entry = library.add(program(), doc="The two least numbers.", licence="CC0-1.0")
        card = entry.card
    assert card.type == "(list[a]) -> list[a] where a: ord"
    assert card.inputs == (("x", "list[int]"),)
    assert card.output == ("output", "list[int]")
    assert card.shelf == "algorithmic"
    assert card.parts == ("sort", "take")
    assert card.doc == "The two least numbers."
    assert card.scores[0] == {"name": "examples answered", "value": 1.0, "rows": 3}
    assert card.probes[0] == {"example": 0, "answer": [1, 2], "failure": ""}
    assert card.statistics[0]["length_max"] == 4
    assert card.provenance["licence"] == "CC0-1.0"
    assert card.provenance["task"] == "two least"
    assert Card.from_bytes(card.to_bytes()) == card
    assert format_term(entry.term) == "take(sort(x), 2)"


def test_a_model_of_a_table_is_kept_too(tmp_path: Path) -> None:
    rows = [{"a": k % 7, "b": "xy"[k % 2], "y": "no" if k % 7 < 3 else "yes"} for k in range(80)]
    model = ms.grow(
        ms.Task.from_table(rows, "y"),
        budget=ms.Budget(trials=2, cores=0),
        quiet=True,
        library=tmp_path / "lib",
    )
    with Library(tmp_path / "lib") as library:
        (entry,) = library
        back = entry.model()
        assert isinstance(back, ms.Model)
        assert back.hash == model.hash
        assert entry.shelf == "geometric"
        assert entry.card.task["classes"] == 2
        assert any("low" in score for score in entry.card.scores)
        assert library.fsck().ok


def test_versions_and_history(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        first = library.add(program())
        assert library.add(program()) == first  # the same program of the same examples is no new version
        second = library.add(program("take(sort(x), 3)"))
        assert second.label == "two least@2"
        assert library["two least"] == second
        assert library["two least@1"] == first
        assert [e.version for e in library.history("two least")] == [1, 2]
        assert len(library) == 1
        said = library.diff("two least")
        assert "-program: take(sort(x), 2)" in said
        assert "+program: take(sort(x), 3)" in said
        assert library.diff("two least@1", "two least@1") == "two least@1 and two least@1 are the same"
        library.add(program(EVENS, name="evens"))
        with pytest.raises(InputError, match="only version"):
            library.diff("evens")


def test_rm_and_gc_forget_and_nothing_else_changes(tmp_path: Path) -> None:
    with filled(tmp_path) as library:
        kept = [row for row in state_of(library) if row[0] not in ("large 0", "evens")]
        library.rm("evens")
        library.rm("large 0")
        assert "evens" not in library
        with pytest.raises(KeyError):
            library["evens"]
        assert library.history("evens")[0].removed
        assert [p for p in (tmp_path / "blobs").rglob("*") if p.is_file()]
        (tmp_path / "tmp" / "left-over").write_bytes(b"a writer died here")
        done = library.gc()
        assert "evens@1" in done.deleted
        assert "tmp/left-over" in done.deleted
        assert not [p for p in (tmp_path / "blobs").rglob("*") if p.is_file()]
        assert state_of(library) == kept
        assert library.fsck().ok
        assert library.add(program(EVENS, name="evens")).version == 2  # no version is given twice
        assert str(library.gc()) == "nothing to delete"


def test_removing_one_version_brings_back_the_one_before(tmp_path: Path) -> None:
    with filled(tmp_path) as library:
        library.rm("two least@2")
        assert library["two least"].version == 1
        assert library.search("least")[0].entry.version == 1


def test_uses_are_written_down(tmp_path: Path) -> None:
    with filled(tmp_path) as library:
        (use,) = library["two least@1"].uses()
        assert (use.used, use.user, use.how) == ("two least@1", "two least@2", "grown from")
        library.note_use(library["evens"], "some task")
        assert library["evens"].uses()[0].task == "some task"
        assert [e.label for e in library.made_with(library["two least"])] == ["two least@1"]


def test_subroutines_with_functions_as_arguments(tmp_path: Path) -> None:
    good = Subroutine(
        "sum_of",
        1,
        parse_type("((a) -> int, list[a]) -> int"),
        ("reader", "items"),
        "sum(map(reader, items))",
    )
    with Library(tmp_path) as library:
        entry = library.add(good, "sum_of")
        assert entry.card.type == "((a) -> int, list[a]) -> int"
        assert (
            library.search(type="((image[28, 28, 1]) -> int, list[image[28, 28, 1]]) -> int")[0].entry
            == entry
        )
        with pytest.raises(InputError, match="subroutine"):
            entry.model()
        wide = Subroutine("wide", 1, parse_type("(list[a]) -> list[a]"), ("x",), "sort(x)")
        with pytest.raises(FileFormatError, match="its type is"):
            library.add(wide, "wide")
        library.add(
            Subroutine("least", 1, parse_type("(list[int]) -> int"), ("x",), "first(sort(x))"), "least"
        )
        assert [m.entry.name for m in library.search(examples=[([3, 1, 2], 1), ([7, 9], 7)])] == ["least"]
        assert library.fsck().ok


@pytest.mark.parametrize(
    "name", ["a/b", "../x", "a@1", "", " a", "a\n", "\x1b[31m", "-rf", ".hidden", "x" * 101, "a\u202eb"]
)
def test_hostile_names_are_refused(tmp_path: Path, name: str) -> None:
    with Library(tmp_path) as library, pytest.raises(InputError):
        library.add(program(), name)
    assert checked_name(made_name(name)) == made_name(name)


def test_names_and_their_words() -> None:
    assert split_name("two least@12") == ("two least", 12)
    with pytest.raises(InputError, match="version"):
        split_name("x@0")
    assert words_of("sortDesc_2 Ünder") == ["sort", "desc", "2", "sortdesc_2", "ünder"]


def test_what_is_no_library_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot use"):
        Library(tmp_path / "file")
    other = tmp_path / "other"
    other.mkdir()
    connection = sqlite3.connect(other / "index.sqlite")
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()
    with pytest.raises(FileFormatError, match="no Meristem library"):
        Library(other)
    (other / "index.sqlite").write_bytes(b"no database at all, but long enough to be read" * 100)
    with pytest.raises(FileFormatError, match="damaged"):
        Library(other)
    with pytest.raises(InputError, match="expected a model"):
        Library(tmp_path / "lib").add(3)  # type: ignore[arg-type]


def test_where_the_users_own_library_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MERISTEM_LIBRARY", str(tmp_path / "mine"))
    assert default_path() == tmp_path / "mine"
    assert Library().path == tmp_path / "mine"
    monkeypatch.delenv("MERISTEM_LIBRARY")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_path() == tmp_path / "data" / "meristem" / "library"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")  # the standard says to pay no heed to such
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_path() == tmp_path / ".local" / "share" / "meristem" / "library"


def test_no_link_is_followed(tmp_path: Path) -> None:
    filled(tmp_path / "real").close()
    outside = tmp_path / "outside"
    outside.write_bytes(b"secret")
    blob = next(p for p in (tmp_path / "real" / "blobs").rglob("*") if p.is_file())
    blob.unlink()
    blob.symlink_to(outside)
    with Library(tmp_path / "real") as library:
        with pytest.raises(FileFormatError, match="link"):
            library["large 0"].model()
        found = library.fsck()
        assert any(d.kind == "link" for d in found.damage)
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "index.sqlite").symlink_to(tmp_path / "real" / "index.sqlite")
    with pytest.raises(FileFormatError, match="link"):
        Library(linked)
    third = tmp_path / "third"
    third.mkdir()
    (third / "blobs").symlink_to(tmp_path)
    with pytest.raises(FileFormatError, match="link"):
        Library(third)


def test_a_library_that_cannot_be_written_can_be_read(tmp_path: Path) -> None:
    filled(tmp_path / "lib").close()
    if os.geteuid() == 0:
        pytest.skip("the system lets this user write anywhere")
    (tmp_path / "lib").chmod(0o555)
    try:
        with Library(tmp_path / "lib") as library:
            assert len(library) == 3
            with pytest.raises(InputError, match="read-only"):
                library.add(program())
    finally:
        (tmp_path / "lib").chmod(0o755)


def _add(path: str, number: int, count: int) -> None:
    with Library(path) as library:
        for k in range(count):
            library.add(program(f"take(sort(x), {10 * number + k})", name=f"p{number} {k}"))


def test_many_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add, args=(str(tmp_path / "lib"), n, 4)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    with Library(tmp_path / "lib") as library:
        assert len(library) == 8
        assert library.fsck().ok


def test_threads_and_forks_share_a_library(tmp_path: Path) -> None:
    library = Library(tmp_path)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for k in range(3):
                library.add(program(f"take(x, {k})", name=f"t{number} {k}"))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(library) == 9
    library.close()
    code = (
        "import os, sys\nfrom meristem.library import Library\n"
        "library = Library(sys.argv[1]); n = len(library)\n"
        "child = os.fork()\n"
        "if child == 0:\n    os._exit(0 if len(library) == n else 1)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\nassert len(library) == n == 9\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_a_library_of_version_1_is_brought_up_to_date(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(FIXTURE, tmp_path / "old")
    wanted: dict[str, Any] = json.loads((FIXTURE.parent / "library-version-1.json").read_text())
    with Library(tmp_path / "old") as library:
        assert library.index.rows("PRAGMA user_version")[0][0] == VERSION
        assert {e.label: e.hash for e in library.entries(all_versions=True)} == wanted
        assert [m.entry.label for m in library.search(examples=[([5, 4, 3, 8], [3, 4, 5])])] == [
            "two least@2"
        ]
        assert library["large 0"].model()([1, 2]) == [2, 1]  # type: ignore[operator]
        found = library.fsck()
        assert found.ok, str(found)
        assert any("copy" in note for note in found.notes)
    assert (tmp_path / "old" / "index-version-1.sqlite").exists()


def test_a_library_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    filled(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "index.sqlite")
    connection.execute(f"PRAGMA user_version={VERSION + 1}")
    connection.close()
    with pytest.raises(FileFormatError, match="update with"):
        Library(tmp_path)


def test_tables_that_someone_changed_are_refused(tmp_path: Path) -> None:
    filled(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "index.sqlite")
    connection.execute("CREATE TRIGGER t AFTER INSERT ON use BEGIN DELETE FROM entry; END")
    connection.close()
    with pytest.raises(FileFormatError, match="someone changed it"):
        Library(tmp_path)
