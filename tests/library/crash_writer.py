"""Writes entries to a library until it is killed, and says of each that it was acknowledged.

    python crash_writer.py LIBRARY NUMBER ACKNOWLEDGED FIRST [MOST]

A line is appended to the file ACKNOWLEDGED, in one write, after `add` gave the entry back: its name and content hash.
Every twentieth entry is large, so that it becomes a blob; every tenth time something is removed or collected.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from meristem.language import Lambda, parse_term
from meristem.library import Library
from meristem.library._files import digest_of
from meristem.library.card import canonical
from meristem.library.describe import Described, described_subroutine, subroutine_bytes
from meristem.types import parse_type


def template() -> Described:
    """A subroutine, described once: writing is what is tried here."""
    function = parse_term("x => take(sort(x), 3)")
    assert isinstance(function, Lambda)
    type_ = parse_type("(list[a]) -> list[a] where a: ord")
    return described_subroutine(subroutine_bytes("three least", type_, function, "doc"), {})


def variant(base: Described, label: str, large: bool) -> Described:
    """The same with another line of documentation, and perhaps with a long name: other bytes, another hash."""
    value = json.loads(base.content)
    value["doc"] = label
    # Bodies may not grow: a long list that is never looked at would change the type. The card may.
    content = canonical(value)
    card = replace(base.card, doc=label, content=digest_of(content))
    if large:
        card = replace(card, statistics=({"name": "filling", "text": (label * 4000)[:80_000]},))
    return replace(base, card=card, content=content)


def main() -> None:
    """Write until killed."""
    path, number, told, first = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    most = int(sys.argv[5]) if len(sys.argv) > 5 else 10**9
    base = template()
    out = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    with Library(path) as library:
        for k in range(first, first + most):
            name = f"w{number} {k}"
            described = variant(base, f"{name} of a writer", k % 20 == 7)
            (entry,) = library.put([(name, described, [])])
            os.write(out, f"{entry.name}\t{entry.hash}\n".encode())
            if k % 10 == 9:  # what was acknowledged as removed stays removed
                library.rm(name)
                os.write(out, f"{entry.name}\tremoved\n".encode())
            if k % 50 == 33 and number == "0":
                library.gc()


if __name__ == "__main__":
    main()
