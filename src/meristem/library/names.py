"""Names of entries: what one may be, how one is made from foreign text, and how a version is said with it."""

from __future__ import annotations

import re
import unicodedata

from meristem.errors import InputError
from meristem.model.words import clean

LONGEST = 100
_AWAY = re.compile(r"[^\w .+()-]+")


def checked_name(name: object) -> str:
    """A name that may be an entry's.

    Raises:
        InputError: It may not; says why.
    """
    if not isinstance(name, str):
        raise InputError(f"expected the name of an entry as text, got {type(name).__name__}")
    if not name or len(name) > LONGEST:
        raise InputError(f"expected a name of 1 to {LONGEST} characters, got {len(name):,}")
    if name != unicodedata.normalize("NFC", name) or name != clean(name) or name != name.strip():
        raise InputError(
            f"expected a name that shows as it is, without control characters or blanks around it, got {name!r:.80}"
        )
    if _AWAY.search(name) or name[0] in ".-":
        raise InputError(
            f"expected a name of letters, digits, blanks and . _ + - ( ), got {clean(name)!r:.80}; signs such as / "
            "and @ are used for places and versions"
        )
    return name


def made_name(text: str) -> str:
    """A name made from any text; `entry` where nothing of it can stay.

    >>> made_name("list 042: sum/../of\\n evens")
    'list 042 sum .. of evens'
    """
    text = _AWAY.sub(" ", clean(unicodedata.normalize("NFC", text)))
    return " ".join(text.split()).lstrip(".-")[:LONGEST].strip() or "entry"


def split_name(text: object) -> tuple[str, int | None]:
    """A name and the version said with it: `name` or `name@2`.

    Raises:
        InputError: It is neither.
    """
    if not isinstance(text, str):
        raise InputError(f"expected the name of an entry, such as 'sum' or 'sum@2', got {text!r:.80}")
    name, sign, version = text.partition("@")
    if not sign:
        return checked_name(text), None
    if not re.fullmatch(r"[1-9]\d{0,8}", version, re.ASCII):
        raise InputError(
            f"expected a version from 1 up after the @, as in {name!r:.80}@2, got {version!r:.20}"
        )
    return checked_name(name), int(version)


def words_of(text: str) -> list[str]:
    """The words of a text, small, each once: `sortDesc_2` is `sort`, `desc`, `sortdesc` and `2`."""
    found: dict[str, None] = {}
    for part in re.findall(r"\w+", text)[:2000]:
        for piece in re.split(r"_|(?<=[a-z])(?=[A-Z])|(?<=\D)(?=\d)", part):
            if piece:
                found[piece.casefold()[:40]] = None
        found[part.casefold()[:40]] = None
    return list(found)


__all__ = ["LONGEST", "checked_name", "made_name", "split_name", "words_of"]
