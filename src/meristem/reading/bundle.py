"""A folder, a .zip or a .tar as one thing: names of files, and their bytes. Nothing is unpacked to disk."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from meristem.errors import InputError

_MOST_FILES = 2_000_000
_MOST_BYTES = 500_000_000  # of one file inside


class Bundle:
    """The files in a folder or archive, by their path inside. Use it in a `with` statement.

    Args:
        place: The folder, .zip or .tar (.tar.gz, .tgz too).

    Raises:
        InputError: It is not there, or no archive.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._archive: Any = None
        self._members: dict[str, Any] = {}
        try:
            if place.is_dir():
                for folder, _, files in os.walk(place):
                    for file in files:
                        path = Path(folder, file)
                        self._members[path.relative_to(place).as_posix()] = path
            elif zipfile.is_zipfile(place):
                self._archive = zipfile.ZipFile(place)
                self._members = {i.filename: i for i in self._archive.infolist() if not i.is_dir()}
            elif tarfile.is_tarfile(place):
                self._archive = tarfile.open(place)  # noqa: SIM115  (closed by `__exit__`)
                self._members = {
                    m.name.removeprefix("./"): m for m in self._archive.getmembers() if m.isreg()
                }
            else:
                raise InputError(f"expected a folder, a .zip or a .tar, got the file {str(place)!r}")
        except FileNotFoundError:
            raise InputError(f"there is no file or folder {str(place)!r}") from None
        except (OSError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
            raise InputError(f"cannot read {str(place)!r}: {error}") from None
        if len(self._members) > _MOST_FILES:
            raise InputError(
                f"expected at most {_MOST_FILES:,} files in {str(place)!r}, got {len(self._members):,}"
            )
        self._short: dict[str, str | None] = {}
        for name in self._members:
            short = PurePosixPath(name).name
            self._short[short] = None if short in self._short else name

    def names(self) -> list[str]:
        """The paths of all files inside, sorted; hidden ones and those that systems leave behind are left out."""
        return sorted(
            name
            for name in self._members
            if not any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)
        )

    def find(self, name: str) -> str | None:
        """The path inside for a name as a list of labels has it: the path, or the file's name where it is unique."""
        plain = PurePosixPath(name.replace("\\", "/")).as_posix().removeprefix("./")
        if plain in self._members:
            return plain
        return self._short.get(PurePosixPath(plain).name)

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            InputError: It cannot be read, or is very large.
        """
        member = self._members[name]
        try:
            if isinstance(member, Path):
                stream: Any = member.open("rb")
            elif isinstance(self._archive, zipfile.ZipFile):
                stream = self._archive.open(member)
            else:
                stream = self._archive.extractfile(member)
            with stream:
                data: bytes = stream.read(_MOST_BYTES + 1)
        except (
            OSError,
            zipfile.BadZipFile,
            tarfile.TarError,
            EOFError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise InputError(f"cannot read {name!r} in {str(self.place)!r}: {error}") from None
        if len(data) > _MOST_BYTES:
            raise InputError(f"expected files of at most {_MOST_BYTES // 1_000_000} MB, {name!r} is larger")
        return data

    def __enter__(self) -> Bundle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._archive is not None:
            self._archive.close()


__all__ = ["Bundle"]
