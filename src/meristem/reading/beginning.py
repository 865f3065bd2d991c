"""The beginning of a text table: what it shows at once, before minutes go into reading all of it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from meristem.errors import InputError
from meristem.reading.answers import decide_target
from meristem.reading.delimited import read_beginning
from meristem.task.cells import MISSING_NUMBER, guess_style, parse_numbers
from meristem.task.raw import raw_from_values
from meristem.task.schema import Target

_LEAST_BYTES = 2_000_000  # a smaller file is read in less than a second
_LEAST_ROWS = 50


def early_target(path: str | os.PathLike[str], name: str) -> Target | None:
    """What the target of a large text table is, where its beginning leaves no doubt; else None.

    No doubt means: there are words, so it cannot be numbers; or all of it are numbers and some are fractions, so it
    cannot be classes. Of classes not all labels are known by then.
    """
    place = Path(path)
    try:
        if place.stat().st_size < _LEAST_BYTES:
            return None
        names, rows, comma = read_beginning(place)
    except (OSError, InputError):
        return None  # reading all of it says what is wrong
    if names.count(name) != 1:
        return None
    column = names.index(name)
    texts = [row[column].strip() for row in rows if column < len(row)]
    texts = [text for text in texts if text not in MISSING_NUMBER]
    if len(texts) < _LEAST_ROWS:
        return None
    style, count = guess_style(texts, comma)
    values, _ = parse_numbers(texts, style)
    if not count or (count == len(texts) and bool((values != np.floor(values)).any())):
        raw = raw_from_values(texts)
        try:
            return decide_target(name, raw, None, comma)[0]
        except InputError:
            return None
    return None
