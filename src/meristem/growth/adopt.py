"""Programs of parts with readers of this task: what was learned of written digits is done with spoken ones.

A part brings its program as well as its reader. Where the reader does not fit (it looks at images, and these are
sounds), the program is kept and its reader's place is filled anew: by a reader of another part that does fit, and that
is trained further inside the program from the answers, or by a new one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from meristem.errors import MeristemError
from meristem.growth.perception_state import Candidate, Growing
from meristem.growth.readers import Reader, new_reader
from meristem.growth.reuse import Borrowed, programs_of, trunks_of
from meristem.language.terms import Module
from meristem.primitives.classes import label_number
from meristem.search.hybrid.readings import Look
from meristem.training.lifted import Recipe, split_term
from meristem.training.lifted.data import data_of
from meristem.training.lifted.plans import Plans

_READERS = 2  # of parts, those with most classes first
_PROGRAMS = 4
_LOOK = 240  # steps after which those that learn fastest go on
_WHOLE = 2  # of them
_SOME = 400  # examples by which it is told whether a program can give the labels
_IMPOSSIBLE = 0.1  # share of labels that a program may not reach
_WARM = Recipe(peak=2e-3)
_SHORT = Recipe(peak=2e-3, cycle=False)


def adopt(growing: Growing, parts: Sequence[object], enough: float) -> None:
    """Try the programs of parts, with the readers of parts trained further and with new ones.

    Args:
        growing: What there is so far; the best of these is taken where it is better.
        parts: Earlier models.
        enough: The share of held-out examples right at which no other is tried.
    """
    programs = programs_of(parts, growing.look, growing.train.target.type)[:_PROGRAMS]
    if not programs:
        return
    warm = readers_to_train(parts, growing.look)[:_READERS]
    candidates = [
        Candidate(program.term, float(program.term.size), reader)
        for program in programs
        for reader in (*warm, *([] if warm else [new_reader(growing.look, program.classes or 10)]))
    ]
    with growing.stage("programs of parts"):
        candidates = [each for each in candidates if _reaches(growing, each)]
        for each in candidates:
            if growing.over():
                return
            growing.train_in(each, _LOOK, _SHORT)
        # A program under which nothing was learned by now is not the one: its labels were only possible.
        candidates = [each for each in candidates if each.learned and each.loss is not None]
        candidates.sort(key=lambda each: each.loss or 0.0)
        for each in candidates[:_WHOLE]:
            if growing.over():
                return
            growing.train_in(each, None, _WARM if each.reader.fit else Recipe())
            growing.take(each)
            if growing.enough(enough):
                growing.ended = f"the program of {_origin(programs, each)!r} answers it with another reader"
                return


def _reaches(growing: Growing, candidate: Candidate) -> bool:
    """Whether a program can give the labels, whatever the reader sees."""
    some = growing.train.take(np.arange(min(len(growing.train), _SOME)))
    try:
        split = split_term(
            candidate.reader.over(growing.look, candidate.term), dict(some.types), target=some.target.type
        )
        ready = data_of(split, some, Plans(split))
    except MeristemError:
        return False
    return ready.impossible <= _IMPOSSIBLE * len(some)


def _origin(programs: Sequence[Borrowed], candidate: Candidate) -> str:
    return next(program.origin for program in programs if program.term == candidate.term)


def readers_to_train(parts: Sequence[object], look: Look) -> list[Reader]:
    """The readers of parts that can look at these images and call them numbers, to be trained further."""
    found = []
    for trunk in trunks_of(parts, look.image):
        if any(label_number(label) is None for label in trunk.output.labels):
            continue
        node = trunk.node
        node = Module(node.kind, node.args, node.choices, trunk.output, node.label, node.version)
        found.append(
            Reader("part trained further", node, {node.slot: trunk.arrays}, frozenset(), trunk.origin)
        )
    return found


__all__ = ["adopt", "readers_to_train"]
