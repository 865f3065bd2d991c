"""Tasks from files: folders of images or sounds with labels, arrays in .npz, idx files."""

from __future__ import annotations

import csv
import io
import os
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError
from meristem.reading.bundle import Bundle
from meristem.reading.idx import is_idx, read_idx
from meristem.reading.media import IMAGES, SOUNDS, read_image, read_sound
from meristem.task.array_values import Resize
from meristem.task.arrays import ArrayTask, Held, array_task
from meristem.task.example_types import cells
from meristem.task.examples import Types, short
from meristem.task.task import Finding

_ANSWERS = ("answer", "answers", "label", "labels", "target", "output", "outputs", "class", "y")
_INPUTS = ("inputs", "input", "images", "image", "signals", "signal", "x", "data")
_TABLES = (".csv", ".tsv", ".txt")
_FEW = 4  # names that a message shows


def read_files(
    source: Any,
    labels: Any = None,
    target: str | None = None,
    group: str | None = None,
    types: Types | None = None,
    validation: Held = None,
    resize: Resize = None,
    name: str | None = None,
) -> ArrayTask:
    """Read files as a task; see `Task.from_files`."""
    if not isinstance(source, str | os.PathLike):
        raise InputError(
            f"expected the path of a folder or file, got {type(source).__name__}; arrays go to from_arrays"
        )
    place = Path(source)
    if not place.exists():
        raise InputError(f"there is no file or folder {str(place)!r}")
    given = _from_path(place, None if labels is None else Path(labels), target, group)
    return array_task(
        given.inputs,
        given.outputs,
        names=given.names,
        types=types,
        validation=validation,
        groups=given.groups,
        resize=resize,
        name=name or _stem(place),
        output=given.output,
        findings=[Finding("note", "", text) for text in given.notes],
    )


@dataclass
class _Read:
    """What was read: inputs and outputs as `from_arrays` takes them."""

    inputs: Any
    outputs: Any
    names: Sequence[str] | None = None
    output: str = "output"
    groups: Sequence[str] | None = None
    notes: tuple[str, ...] = ()


def _stem(place: Path) -> str:
    return place.name.split(".")[0] or "program"


def _from_path(place: Path, labels: Path | None, target: str | None, group: str | None) -> _Read:
    if place.is_file() and place.suffix.lower() == ".npz":
        return _from_npz(place, target)
    if place.is_file() and is_idx(place):
        return _from_idx(place, labels)
    if place.is_dir():
        found = sorted(p for p in place.iterdir() if p.is_file() and "idx" in p.name and is_idx(p))
        images = [p for p in found if "images" in p.name]
        training = [p for p in images if "train" in p.name] or images
        if training:
            return _from_idx(training[0], labels)
    with Bundle(place) as bundle:
        return _from_bundle(bundle, labels, target, group)


# ---------------------------------------------------------------------------------------------- idx and npz


def _from_idx(place: Path, labels: Path | None) -> _Read:
    if labels is None:
        wanted = re.sub(r"idx\d", "idx1", place.name.replace("images", "labels"))
        labels = place.with_name(wanted)
        if wanted == place.name or not labels.exists():
            raise InputError(
                f"expected the labels of {str(place)!r} beside it as {wanted!r}; say where: labels=..."
            )
    return _Read(read_idx(place), read_idx(labels), ("image",), "label")


def _from_npz(place: Path, target: str | None) -> _Read:
    try:
        with place.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError, AttributeError, TypeError) as error:
        if "pickle" in str(error):
            raise InputError(
                f"{str(place)!r} holds Python objects, which are not read because they could run code; store lists of "
                "several lengths as one array and an array of lengths, or pass them to from_arrays"
            ) from None
        raise InputError(f"cannot read {str(place)!r}: {error}; get or save it again") from None
    if target is None:
        target = next((n for n in arrays if n.lower() in _ANSWERS), None)
    if target is None or target not in arrays:
        raise InputError(
            f"expected an array of answers in {str(place)!r}, named {', '.join(_ANSWERS[:4])} or as target= says; "
            f"it holds {short(list(arrays))}"
        )
    outputs = arrays.pop(target)
    fitting = {n: a for n, a in arrays.items() if a.ndim and len(a) == len(outputs)}
    if "lengths" in arrays:  # the items of lists end to end, and how many each list has
        return _Read(_listed(arrays, place), outputs, None, target)
    named = [n for n in fitting if n.lower() in _INPUTS] or list(fitting)
    if not named:
        raise InputError(
            f"expected arrays with as many rows as {target!r} has answers ({len(outputs):,}) in {str(place)!r}, got "
            f"{', '.join(f'{n} {list(a.shape)}' for n, a in arrays.items()) or 'none'}"
        )
    unused = [n for n in arrays if n not in named]
    notes = (f"the arrays {', '.join(map(repr, unused))} are not used",) if unused else ()
    return _Read({n: arrays[n] for n in named}, outputs, None, target, None, notes)


def _listed(arrays: dict[str, NDArray[Any]], place: Path) -> dict[str, list[NDArray[Any]]]:
    lengths = arrays.pop("lengths")
    items = {n: a for n, a in arrays.items() if a.ndim and len(a) == lengths.sum()}
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or (lengths < 0).any() or len(items) != 1:
        raise InputError(
            f"expected 'lengths' in {str(place)!r} to say how many items each list has, and one array of all items, "
            "end to end"
        )
    ((name, array),) = items.items()
    ends = np.cumsum(lengths)
    return {name: [array[e - n : e] for e, n in zip(ends.tolist(), lengths.tolist(), strict=True)]}


# ---------------------------------------------------------------------------------------------- folders


def _from_bundle(bundle: Bundle, labels: Path | None, target: str | None, group: str | None) -> _Read:
    media = [n for n in bundle.names() if PurePosixPath(n).suffix.lower() in (*IMAGES, *SOUNDS)]
    if not media:
        raise InputError(
            f"expected PNG, JPEG or WAV files in {str(bundle.place)!r}, got none; it holds "
            f"{len(bundle.names()):,} other files"
        )
    table = _table(bundle, labels)
    if table is None:
        return _by_folder(bundle, media)
    return _by_table(bundle, *table, target, group)


def _table(bundle: Bundle, labels: Path | None) -> tuple[str, str] | None:
    """The name and the text of the list of labels, where there is one."""
    if labels is not None:
        try:
            return labels.name, _decoded(labels.read_bytes(), str(labels))
        except OSError as error:
            raise InputError(f"cannot read the labels {str(labels)!r}: {error.strerror or error}") from None
    found = [n for n in bundle.names() if PurePosixPath(n).suffix.lower() in _TABLES]
    tables = [n for n in found if n.lower().endswith((".csv", ".tsv"))]
    near = bundle.place.with_suffix(".csv")
    if not tables and not bundle.place.is_dir() and near.exists():
        return near.name, _decoded(near.read_bytes(), str(near))
    if len(tables) > 1:
        raise InputError(
            f"expected one list of labels in {str(bundle.place)!r}, got {', '.join(map(repr, tables[:_FEW]))}; say "
            "which: labels=..."
        )
    if not tables:
        return None
    return tables[0], _decoded(bundle.read(tables[0]), tables[0])


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"expected UTF-8 in {name!r}; save it as UTF-8") from None


def _by_folder(bundle: Bundle, media: list[str]) -> _Read:
    classes = [PurePosixPath(n).parent.as_posix() for n in media]
    if len(set(classes)) < 2:
        raise InputError(
            f"expected a list of labels (a CSV with file,label) or a folder for each class in {str(bundle.place)!r}, "
            f"got {len(media):,} files without either"
        )
    common = os.path.commonpath(list(set(classes)))
    names = [PurePosixPath(c).relative_to(common).as_posix() if common else c for c in classes]
    inputs, notes = _media(bundle, [[n] for n in media], listed=False)
    return _Read(
        inputs, names, ("signal" if media[0].lower().endswith(SOUNDS) else "image",), "label", None, notes
    )


def _by_table(bundle: Bundle, name: str, text: str, target: str | None, group: str | None) -> _Read:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    rows = [row for row in rows if any(row)]
    if not rows or len(rows[0]) < 2:
        raise InputError(f"expected columns for files and an answer in {name!r}, got {short(rows[:1])}")
    header = None if bundle.find(rows[0][0]) else rows.pop(0)
    if not rows:
        raise InputError(f"expected rows of files and answers in {name!r}, got a header only")
    width = max(len(rows[0]), len(header or ()))
    for k, row in enumerate(rows):
        if len(row) > width:
            raise InputError(f"expected {width} cells in each row of {name!r}, got {len(row)} in row {k + 1}")
        row += [""] * (width - len(row))
    columns = header or [f"column {k + 1}" for k in range(width)]
    answer = _column_of(columns, target, "target", name)
    if answer is None:
        named = [k for k, c in enumerate(columns) if c.lower() in _ANSWERS]
        answer = named[0] if named else width - 1
    groups = _column_of(columns, group, "group", name)
    files = [
        k for k in range(width) if k not in (answer, groups) and _is_files(bundle, [row[k] for row in rows])
    ]
    if not files:
        raise InputError(
            f"expected names of files of {str(bundle.place)!r} in the first column of {name!r}, got "
            f"{short(rows[0][0])}, which is not among them"
        )
    if target is None and header is not None and not any(c.lower() in _ANSWERS for c in columns):
        spare = [k for k in range(width) if k not in (*files, groups)]
        if len(spare) > 1:  # which of them is the answer is not ours to guess
            raise InputError(
                f"expected one column of answers in {name!r}, got {', '.join(repr(columns[k]) for k in spare)}; "
                "say which: target=..."
            )
        answer = spare[0]
    lists = [[row[k] for k in files if row[k]] for row in rows]
    inputs, notes = _media(bundle, _checked(bundle, lists, name), listed=len(files) > 1)
    outputs = cells([row[answer] for row in rows])
    missing = [k + 1 for k, value in enumerate(outputs) if value == ""]
    if missing:
        raise InputError(f"expected an answer in each row of {name!r}, got none in row {missing[0]}")
    unused = [c for k, c in enumerate(columns) if k not in (*files, answer, groups)]
    if unused:
        notes = (*notes, f"the columns {', '.join(map(repr, unused))} of {name!r} are not used")
    single = _single(bundle, lists)
    return _Read(
        inputs,
        outputs,
        (single + "s" if len(files) > 1 else single,),
        columns[answer] if header else "label",
        None if groups is None else [row[groups] for row in rows],
        notes,
    )


def _column_of(columns: Sequence[str], wanted: str | None, argument: str, name: str) -> int | None:
    if wanted is None:
        return None
    if wanted not in columns:
        raise InputError(
            f"{argument}: there is no column {wanted!r} in {name!r}; it has {short(list(columns))}"
        )
    return list(columns).index(wanted)


def _is_files(bundle: Bundle, values: list[str]) -> bool:
    there = [v for v in values if v]
    return bool(there) and sum(bundle.find(v) is not None for v in there[:50]) * 2 >= len(there[:50])


def _checked(bundle: Bundle, lists: list[list[str]], name: str) -> list[list[str]]:
    """The paths inside for the names of each row."""
    found: list[list[str]] = []
    absent: list[str] = []
    for row in lists:
        paths = [bundle.find(each) for each in row]
        absent += [each for each, path in zip(row, paths, strict=True) if path is None]
        found.append([path for path in paths if path is not None])
    if absent:
        shown = ", ".join(map(repr, absent[:_FEW])) + (
            f" and {len(absent) - _FEW:,} more" if len(absent) > _FEW else ""
        )
        raise InputError(f"{name!r} names files that are not in {str(bundle.place)!r}: {shown}")
    return found


def _single(bundle: Bundle, lists: list[list[str]]) -> str:
    first = next((row[0] for row in lists if row), "")
    return "signal" if first.lower().endswith(SOUNDS) else "image"


def _media(bundle: Bundle, lists: list[list[str]], listed: bool) -> tuple[list[Any], tuple[str, ...]]:
    """The arrays of the files of each row; each file is read once."""
    wanted = list(dict.fromkeys(n for row in lists for n in row))
    sounds = [n for n in wanted if n.lower().endswith(SOUNDS)]
    if sounds and len(sounds) < len(wanted):
        raise InputError("expected images only or sounds only, got both; put them into folders of their own")
    notes: list[str] = []
    arrays: dict[str, NDArray[Any]] = {}
    rates: Counter[int] = Counter()
    for name in wanted:
        data = bundle.read(name)
        if sounds:
            arrays[name], rate = read_sound(data, name)
            rates[rate] += 1
        else:
            arrays[name] = read_image(data, name)
    if len(rates) > 1:
        shown = ", ".join(f"{rate:,} Hz ({count:,} files)" for rate, count in rates.most_common(_FEW))
        raise InputError(f"expected sounds of one rate, got {shown}; convert them to one")
    if rates:
        notes.append(f"sounds of {next(iter(rates)):,} samples a second")
    channels = {array.shape[-1] for array in arrays.values()}
    if channels == {1, 3}:  # a gray picture among coloured ones
        arrays = {n: np.repeat(a, 3, axis=2) if a.shape[-1] == 1 else a for n, a in arrays.items()}
    if listed:
        return [[arrays[n] for n in row] for row in lists], tuple(notes)
    return [arrays[row[0]] for row in lists], tuple(notes)


__all__ = ["read_files"]
