"""Faults that a library survives: killed writers, flipped bits, cut files, full disks."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meristem.errors import FileFormatError, InputError, MeristemError
from meristem.library import Library, LibraryWarning, _files
from meristem.library._files import digest_of

sys.path.insert(0, str(Path(__file__).parent))

from library_samples import EVENS, files_of, filled, large_program, program, smaller_pages, state_of

HERE = Path(__file__).parent


# ---------------------------------------------------------------------------------------------- killed at any moment


def _crash(folder: Path, wanted: int, seed: int, writers: int = 2) -> tuple[dict[str, str], int]:
    """Writers that are killed again and again, until so much was acknowledged; what was, and how many kills."""
    rng, kills = random.Random(seed), 0
    told = [folder / f"told-{n}" for n in range(writers)]
    for path in told:
        path.touch()
    running: list[tuple[float, subprocess.Popen[bytes]] | None] = [None] * writers
    firsts = [0] * writers

    def lines(n: int) -> list[str]:
        return told[n].read_text().splitlines()

    try:
        while sum(len(lines(n)) for n in range(writers)) < wanted:
            for n in range(writers):
                each = running[n]
                if each is None:
                    command = [sys.executable, str(HERE / "crash_writer.py"), str(folder / "lib"), str(n)]
                    firsts[n] += 10_000
                    process = subprocess.Popen(
                        [*command, str(told[n]), str(firsts[n])],
                        stderr=subprocess.PIPE,
                        stdout=subprocess.DEVNULL,
                    )
                    running[n] = (-1.0, process)
                    continue
                end, process = each
                assert process.poll() is None, process.communicate()[1].decode()
                if end < 0:  # it is killed some time after it began to write
                    if any(line.startswith(f"w{n} {firsts[n]}") for line in lines(n)[-50:]):
                        running[n] = (time.monotonic() + rng.uniform(0.0, 1.0) ** 2 * 3.0, process)
                elif time.monotonic() > end:
                    os.kill(process.pid, signal.SIGKILL)
                    process.communicate()
                    kills += 1
                    running[n] = None
            time.sleep(0.002)
    finally:
        for each in running:
            if each is not None:
                each[1].kill()
                each[1].communicate()
    found: dict[str, str] = {}
    for n in range(writers):
        for line in lines(n):
            name, what = line.split("\t")
            found[name] = what
    return found, kills


def _hold(folder: Path, told: dict[str, str]) -> None:
    """All that was acknowledged is there and whole, and all that is there is whole."""
    with Library(folder / "lib") as library:
        held = {entry.name: entry.hash for entry in library.entries()}
        for name, what in told.items():
            if what == "removed":
                assert name not in held
            elif name not in held:  # killed between its removal and the word of it
                assert name.endswith("9")
            else:
                assert held.get(name) == what, name
        found = library.fsck(deep=len(held) < 500)
        assert found.ok, str(found)
        for name in list(told)[:50]:
            if told[name] != "removed":
                assert digest_of(library.content(library[name].hash)) == told[name]
        library.gc()
        assert library.fsck(deep=False).ok
        assert not list((folder / "lib" / "tmp").iterdir())


def test_writers_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    told, kills = _crash(tmp_path, 40, seed=1)
    assert kills >= 1
    _hold(tmp_path, told)


@pytest.mark.slow
def test_ten_thousand_writes_under_kill_9(tmp_path: Path) -> None:
    told, kills = _crash(tmp_path, 10_000, seed=2, writers=3)
    print(f"{len(told):,} acknowledged, {kills} kills")
    assert kills >= 50
    _hold(tmp_path, told)


# ---------------------------------------------------------------------------------------------- flipped and cut


def _detected(path: Path) -> bool:
    """Whether opening or checking a library shows that something is wrong."""
    try:
        with Library(path) as library:
            return not library.fsck(deep=False).ok
    except MeristemError:
        return True


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A library at rest, on small pages."""
    path = tmp_path_factory.mktemp("small") / "lib"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("meristem.library.library.SMALL", 1500)  # so that blobs are small too
        with Library(path) as library:
            least = library.add(program())
            library.add(program(EVENS, name="evens"))
            library.add(program("take(sort(x), 3)"), uses=[(least, "grown from")])
            library.add(program("reverse(x)", [list(range(2**40, 2**40 + 40)), [1, 2]], name="large 0"))
        smaller_pages(path)
        assert not _detected(path)
        yield path


def _flips(path: Path, work: Path, places: Iterator[tuple[Path, int]]) -> list[str]:
    """Flip a bit at each place of a copy; what nobody noticed."""
    missed = []
    for file, place in places:
        copy = work / file.relative_to(path)
        before = file.read_bytes()
        damaged = bytearray(before)
        damaged[place] ^= 1 << (place % 8)
        copy.chmod(0o644)
        copy.write_bytes(damaged)
        if not _detected(work):
            missed.append(f"{file.name}: byte {place}")
        copy.write_bytes(before)
        for name in ("index.sqlite-wal", "index.sqlite-shm"):  # what opening left
            (work / name).unlink(missing_ok=True)
        for name in ("index.sqlite", "index.seal"):  # checking writes nothing where something is wrong
            assert (work / name).read_bytes() == (path / name).read_bytes()
    return missed


def _places(path: Path, chosen: random.Random | None, count: int) -> Iterator[tuple[Path, int]]:
    everything = [(file, place) for file in files_of(path) for place in range(file.stat().st_size)]
    yield from (chosen.sample(everything, count) if chosen is not None else everything)


def test_a_flipped_bit_is_seen(small: Path, tmp_path: Path) -> None:
    shutil.copytree(small, tmp_path / "work")
    rng = random.Random(0)
    places = list(_places(small, rng, 20))
    for file in files_of(small):  # some of each file, small ones too
        places += [(file, rng.randrange(file.stat().st_size)) for _ in range(25)]
    assert _flips(small, tmp_path / "work", iter(places)) == []


@pytest.mark.slow
def test_every_flipped_byte_is_seen(small: Path, tmp_path: Path) -> None:
    shutil.copytree(small, tmp_path / "work")
    assert _flips(small, tmp_path / "work", _places(small, None, 0)) == []


def test_without_a_seal_a_flipped_bit_is_seen_or_changes_nothing(small: Path, tmp_path: Path) -> None:
    """A killed writer leaves no seal; then the hashes of rows and objects are what is checked."""
    work = tmp_path / "work"
    shutil.copytree(small, work)
    index = work / "index.sqlite"
    whole = index.read_bytes()
    with Library(small) as library:
        wanted = state_of(library)
    rng = random.Random(3)
    unseen = 0
    for _ in range(20):
        (work / "index.seal").unlink(missing_ok=True)
        damaged = bytearray(whole)
        place = rng.randrange(len(whole))
        damaged[place] ^= 1 << rng.randrange(8)
        index.write_bytes(damaged)
        for name in ("index.sqlite-wal", "index.sqlite-shm"):
            (work / name).unlink(missing_ok=True)
        try:
            with Library(work) as library:
                if library.fsck().ok:
                    unseen += 1
                    assert [row[:4] for row in state_of(library)] == [row[:4] for row in wanted], place
        except MeristemError:
            continue
    assert unseen < 18


def test_a_damaged_library_is_not_written_to(small: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(small, work)
    data = bytearray((work / "index.sqlite").read_bytes())
    data[-1] ^= 1  # in the last page's free space or its content: SQLite alone would not always see it
    (work / "index.sqlite").write_bytes(data)
    with Library(work) as library:
        with pytest.raises(FileFormatError, match="seal"):
            library.add(program(name="new"))
        with pytest.raises(FileFormatError, match="seal"):
            library.gc()
        assert not library.fsck().ok


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_an_index_that_was_cut_is_seen(small: Path, tmp_path: Path, share: float) -> None:
    work = tmp_path / "work"
    shutil.copytree(small, work)
    data = (work / "index.sqlite").read_bytes()
    (work / "index.sqlite").write_bytes(data[: int(share * len(data))])
    assert _detected(work)


def test_a_damaged_blob_is_named_and_the_rest_usable(small: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(small, work)
    blob = next(p for p in (work / "blobs").rglob("*") if p.is_file())
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    with Library(work) as library:
        with pytest.raises(FileFormatError, match="damaged"):
            [library.find(name).model() for name in ("evens", "two least", "large 0")]
        assert any(d.kind == "object" for d in library.fsck().damage)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LibraryWarning)  # it says which it leaves out
            good = [entry for entry in library if entry.hash != blob.name]
        assert len(good) == 2
        assert all(entry.model() for entry in good)


# ---------------------------------------------------------------------------------------------- a full disk


def test_a_disk_that_is_full_at_any_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The n-th write of a blob's file fails, for every n."""
    real = os.write
    state = {"left": 0}

    def write(handle: int, data: Any) -> int:
        state["left"] -= 1
        if state["left"] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, bytes(data)[:40_000])

    monkeypatch.setattr(_files.os, "write", write)
    with Library(tmp_path) as library:
        state["left"] = 10**9
        library.add(program())
        wanted = state_of(library)
        for n in range(20):
            state["left"] = n
            try:
                library.add(large_program())
            except InputError as error:
                assert "No space left" in str(error)  # noqa: PT017 (it fails for some n only)
                state["left"] = 10**9
                assert state_of(library) == wanted
                assert list((tmp_path / "tmp").iterdir()) == []
                assert library.fsck().ok
            else:
                break
        state["left"] = 10**9
        assert 0 < n < 19
        assert "large 0" in library


def test_an_index_that_may_not_grow(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        library.add(program())
        pages = library.index.rows("PRAGMA page_count")[0][0]
        failed = 0
        for more in range(16):
            wanted = state_of(library)
            library.index.rows(f"PRAGMA max_page_count={pages + more // 3}")
            try:
                library.add(
                    program(f"take(x, {more})", name=f"entry {more}", rows=[list(range(200)), [2, 1]])
                )
            except InputError as error:
                failed += 1
                assert "full" in str(error)  # noqa: PT017
                assert state_of(library) == wanted
        library.index.rows("PRAGMA max_page_count=1000000")
        assert failed > 2
        assert library.fsck().ok


SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
static int left = -1;
static int fails(int fd) {
    char link[64], path[4096];
    const char *inside = getenv("FAIL_INSIDE"), *at = getenv("FAIL_AT");
    if (!inside || !at) return 0;
    if (left < 0) left = atoi(at) + 1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    if (strncmp(path, inside, strlen(inside))) return 0;
    if (left > 1) { left--; return 0; }
    errno = ENOSPC;
    return 1;
}
ssize_t write(int fd, const void *b, size_t n) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    return fails(fd) ? -1 : real(fd, b, n);
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite");
    return fails(fd) ? -1 : real(fd, b, n, o);
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    return fails(fd) ? -1 : real(fd, b, n, o);
}
int ftruncate64(int fd, off64_t n) {
    static int (*real)(int, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "ftruncate64");
    return fails(fd) ? -1 : real(fd, n);
}
"""
ADDER = """
import sys
sys.path.insert(0, sys.argv[2])
from library_samples import large_program, program
from meristem.errors import MeristemError
from meristem.library import Library
try:
    library = Library(sys.argv[1])
    for k, model in enumerate((program("take(x, 1)", name="small"), large_program(5), program("rest(x)", name="last"))):
        library.add(model)
        print("added", k, flush=True)
    library.close()
except MeristemError as error:
    print("refused:", error)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("cc") is None, reason="needs a C compiler to stand between SQLite and the disk"
)
def test_a_disk_that_is_full_at_any_write_of_any_file(tmp_path: Path) -> None:
    """Every write, SQLite's own ones too, fails in turn with all after it; what was acknowledged is there."""
    (tmp_path / "shim.c").write_text(SHIM)
    shim = tmp_path / "shim.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, tmp_path / "shim.c", "-ldl"], check=True)
    filled(tmp_path / "base").close()
    with Library(tmp_path / "base") as library:
        before = {entry.label: entry.hash for entry in library.entries(all_versions=True)}
    for n in range(400):
        work = tmp_path / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(tmp_path / "base", work)
        done = subprocess.run(
            [sys.executable, "-c", ADDER, str(work), str(HERE)],
            env={**os.environ, "LD_PRELOAD": str(shim), "FAIL_AT": str(n), "FAIL_INSIDE": str(work)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        with Library(work) as library:
            held = {entry.label: entry.hash for entry in library.entries(all_versions=True)}
            assert before.items() <= held.items(), n
            for k, name in enumerate(("small@1", "large 5@1", "last@1")):
                assert f"added {k}" not in done.stdout or name in held, n
            assert library.fsck().ok, n
        if "refused" not in done.stdout and not done.stderr and "added 2" in done.stdout and n > 30:
            break
    print(f"{n} writes failed in turn")
    assert 30 < n < 399


def test_a_hostile_index_runs_nothing(tmp_path: Path) -> None:
    """What a database can do by itself, triggers and views, is not in the tables of a library."""
    filled(tmp_path / "lib").close()
    with contextlib.closing(sqlite3.connect(tmp_path / "lib" / "index.sqlite")) as connection:
        connection.execute("CREATE VIEW v AS SELECT load_extension('x')")
        connection.commit()
    with pytest.raises(FileFormatError):
        Library(tmp_path / "lib")
    filled(tmp_path / "other").close()
    with contextlib.closing(sqlite3.connect(tmp_path / "other" / "index.sqlite")) as connection:
        connection.execute("UPDATE entry SET name = '../../x' WHERE id = 1")
        connection.commit()
    (tmp_path / "other" / "index.seal").unlink()
    with Library(tmp_path / "other") as library:
        assert not library.fsck().ok
