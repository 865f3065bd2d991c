"""The model file: one zip that holds data and no code.

=====================  =================================================================================
`meristem.json`        format version, and the version of Meristem that wrote it
`program.json`         the term, the types of inputs and answers
`schema.json`          how a table is read; for a program from examples their names
`report.json`          what happened when the model was grown
`fit.safetensors`      the arrays of the modules, named `slot/name`
`extra.safetensors`    arrays of the model that are no module's (residual quantiles, an example row, the examples)
=====================  =================================================================================

The zip's comment is `meristem sha256 HEX`: the SHA-256 of every byte before HEX. So each byte of the file is covered,
the zip's own structure too. That finds damage; against malice every part is checked again as it is read. Entries are
read into memory under a size limit and never written to disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem._version import __version__
from meristem.errors import FileFormatError, InputError

FORMAT = 1
"""Of models of a table."""
PROGRAM_FORMAT = 2
"""Of programs grown from examples: the same parts, but `schema.json` holds the examples' names and types. A version
that knows format 1 only says so, and still reads every model of a table that this one writes."""
ENTRIES = (
    "meristem.json",
    "program.json",
    "schema.json",
    "report.json",
    "fit.safetensors",
    "extra.safetensors",
)
_COMMENT = b"meristem sha256 "
_MOST_BYTES = 4 * 2**30  # of all entries together, unpacked
_STAMP = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes whenever it is saved

Arrays = dict[str, NDArray[Any]]


def pack(parts: Mapping[str, Any], fit: Arrays, extra: Arrays, form: int = FORMAT) -> bytes:
    """The bytes of a model file.

    Args:
        parts: Plain JSON values for `program`, `schema` and `report`.
        fit: Arrays named `slot/name`.
        extra: Further arrays.
        form: The version of the format.
    """
    from safetensors.numpy import save

    entries: dict[str, bytes] = {"meristem.json": _json({"format": form, "version": __version__})}
    for name in ("program", "schema", "report"):
        entries[f"{name}.json"] = _json(parts[name])
    entries["fit.safetensors"] = save({k: _plain(v) for k, v in sorted(fit.items())})
    entries["extra.safetensors"] = save({k: _plain(v) for k, v in sorted(extra.items())})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in ENTRIES:
            info = zipfile.ZipInfo(name, _STAMP)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(info, entries[name])
        archive.comment = _COMMENT + b"0" * 64
    body = buffer.getvalue()[:-64]
    return body + hashlib.sha256(body).hexdigest().encode()


def unpack(data: bytes, name: str = "the file") -> tuple[dict[str, Any], Arrays, Arrays]:
    """Read what `pack` gave: the JSON parts, the fit and the extra arrays.

    Raises:
        FileFormatError: The bytes are damaged, hostile, or of a newer format.
    """
    if len(data) < 200 or data[:4] != b"PK\x03\x04":
        raise FileFormatError(
            f"{name} is not a Meristem model: expected a model file that `model.save` wrote"
        )
    if data[-64 - len(_COMMENT) : -64] != _COMMENT:
        raise FileFormatError(
            f"{name} is damaged or no Meristem model: its checksum is missing (is the file complete?)"
        )
    if hashlib.sha256(data[:-64]).hexdigest().encode() != data[-64:]:
        raise FileFormatError(
            f"{name} is damaged: its checksum does not match; copy it again from where it came"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            names = [info.filename for info in infos]
            if len(set(names)) != len(names) or not set(ENTRIES) <= set(names) or len(names) > 64:
                raise FileFormatError(f"{name} does not hold the parts of a model")
            if sum(info.file_size for info in infos) > _MOST_BYTES:
                raise FileFormatError(f"{name} unpacks to more than {_MOST_BYTES >> 30} GB")
            content = {entry: _read(archive, entry, name) for entry in ENTRIES}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, RuntimeError, OSError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{name} is damaged: {error}") from None
    head = parse_json(content["meristem.json"], name)
    version = head.get("format") if isinstance(head, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise FileFormatError(f"{name} does not say which format it has")
    if version > PROGRAM_FORMAT:
        raise FileFormatError(
            f"{name} has format {version}, this Meristem reads up to {PROGRAM_FORMAT}; "
            "update with: pip install -U meristem"
        )
    parts = {part: parse_json(content[f"{part}.json"], name) for part in ("program", "schema", "report")}
    return parts, _arrays(content["fit.safetensors"], name), _arrays(content["extra.safetensors"], name)


def _read(archive: zipfile.ZipFile, entry: str, name: str) -> bytes:
    info = archive.getinfo(entry)
    with archive.open(info) as stream:
        # One byte more than stated shows an entry that unpacks to more than it says.
        found = stream.read(info.file_size + 1)
    if len(found) != info.file_size:
        raise FileFormatError(f"{name} is damaged: the size of {entry} is wrong")
    return found


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


def parse_json(data: bytes, name: str) -> Any:
    """Read JSON from a file that is not trusted.

    Raises:
        FileFormatError: It is no JSON, nests too deep, or holds numbers that JSON does not have.
    """

    def refuse(text: str) -> Any:
        raise FileFormatError(f"{name} holds the number {text}, which is not JSON")

    def finite(text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            raise FileFormatError(f"{name} holds the number {text}, which is too large")
        return value

    try:
        return json.loads(data, parse_constant=refuse, parse_float=finite)
    except RecursionError:
        raise FileFormatError(f"{name} holds JSON that nests too deep") from None
    except ValueError as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{name} holds damaged JSON: {error}") from None


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array)


def _arrays(data: bytes, name: str) -> Arrays:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        found: Arrays = load(data)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise FileFormatError(f"{name} is damaged: {error}") from None
    return found


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file in one step: to a temporary file beside it, then renamed. Nothing half-written is ever seen.

    Raises:
        InputError: The folder is not there or cannot be written.
    """
    target = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise InputError(f"cannot write {str(target)!r}: {error.strerror or error}") from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise InputError(f"cannot write {str(target)!r}: {error.strerror or error}") from None
        raise


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file.

    Raises:
        InputError: It is not there or cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {os.fspath(path)!r}: {error.strerror or error}") from None
