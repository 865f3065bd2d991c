"""Where results go: names made from the data's name, and checks before any work is done."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from meristem.errors import InputError

_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4")


def default_model_path(data: Path) -> Path:
    """The model's file for a table: the table's name with `.mst`, in the current folder.

    >>> str(default_model_path(Path("in/sales.2024.csv.gz")))
    'sales.2024.mst'
    """
    name = Path(data.name)
    if name.suffix.lower() in _COMPRESSED:
        name = name.with_suffix("")
    return Path((name.stem or "model") + ".mst")


def check_place(path: Path, option: str, inputs: tuple[Path, ...] = ()) -> None:
    """See that a file can be written there later, so that no minute is spent for nothing.

    Args:
        path: Where it will go.
        option: The option that names it, for the message.
        inputs: Files that it must not replace.

    Raises:
        InputError: It cannot.
    """
    folder = path.parent
    if path.is_dir():
        raise InputError(f"{option}: expected a file, got the folder {str(path)!r}")
    if not folder.is_dir():
        raise InputError(f"{option}: there is no folder {str(folder)!r} for {path.name!r}; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(
            f"{option}: nothing can be written in the folder {str(folder)!r}; choose another one"
        )
    for given in inputs:
        if path.exists() and given.exists() and path.samefile(given):
            raise InputError(
                f"{option}: {str(path)!r} is an input of this command and would be replaced; choose another name"
            )


def quoted(path: Path | str) -> str:
    """A path or a word as one types it in a shell."""
    text = str(path)
    # A name that begins with a dash would be read as an option.
    return shlex.quote(f"./{text}" if text.startswith("-") else text)
