"""Growing a program with perception in it: programs ranked by labels, readers trained inside them, an honest check.

First the readers of `parts` as they are, then new ones, at last a plain network to compare with.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from meristem import events
from meristem.errors import InputError, MeristemError
from meristem.executors.threads import one_thread
from meristem.growth.adopt import adopt
from meristem.growth.clock import Clock, one_interrupt
from meristem.growth.label_ways import is_labels
from meristem.growth.labels import Labelling
from meristem.growth.labels_model import model_of_labels
from meristem.growth.perception_model import model_of
from meristem.growth.perception_search import search_new
from meristem.growth.perception_state import Candidate, Growing
from meristem.growth.plain_network import train_plain
from meristem.growth.readers import readers_of
from meristem.language.text import format_term
from meristem.model.perception_report import TiedProgram
from meristem.model.program_model import ProgramModel
from meristem.search.hybrid import Answering, look_at, rank_known
from meristem.training.lifted import Recipe
from meristem.types import format_type

if TYPE_CHECKING:
    from meristem.task.arrays import ArrayTask
    from meristem.task.budget import Budget

_RECALLED = 0.85  # share of held-out examples right at which a part as it is will do
_MANY, _GOOD = (
    1000,
    0.985,
)  # examples from which, and share right up to which, a part's reader is trained further
_FURTHER = Recipe(peak=2.5e-3, usual=600)
_PLAIN_SHARE, _PLAIN_LEAST, _PLAIN_MOST = 0.25, 1.5, 30.0


def grow_perception(
    task: ArrayTask,
    budget: Budget,
    clock: Clock,
    *,
    seed: int = 0,
    parts: Sequence[object] = (),
    plain: bool = True,
    quiet: bool = False,
    listeners: Sequence[events.Listener] = (),
) -> ProgramModel:
    """Grow a program with perception in it; see `grow`.

    Args:
        task: Images and final answers.
        budget: What may be used.
        clock: Began with the call.
        seed: Source of all randomness.
        parts: Models whose readers are tried first: as they are, with a new head, trained further; then their programs
            with another reader in them.
        plain: Whether a plain network is trained beside the program, to compare with.
        quiet: Show no progress.
        listeners: Told of every event.

    Raises:
        InputError: The task cannot be used; says why.
    """
    look = look_at(task.input_types)
    readers = readers_of(parts, look)
    hub = events.Hub(list(listeners))
    with ExitStack() as stack:
        if not quiet:
            from meristem.report.progress import progress

            stack.enter_context(progress(hub))
        stack.enter_context(one_interrupt(clock))
        stack.enter_context(one_thread())
        limit = None if math.isinf(clock.limit) else clock.limit
        hub.send(events.Started(clock.elapsed, task.name, limit, budget.trials, 1, "wrong answers"))
        for finding in task.findings:
            hub.send(events.Warned(clock.elapsed, finding.text))
        if is_labels(task, look):
            labelling = Labelling(task, look, parts, clock, hub, seed)
            labelling.run()
            hub.send(events.Phase(clock.elapsed, "done"))
            return model_of_labels(labelling, budget)
        _check_answers(task)
        growing = Growing(task, look, readers, budget, clock, hub, seed)
        _run(growing, parts)
        if plain and not clock.stopped:
            _compare(growing)
        hub.send(events.Phase(clock.elapsed, "done"))
        return model_of(growing)


def _check_answers(task: ArrayTask) -> None:
    """Raise InputError unless programs over what is read can give such answers."""
    if task.answers.type.name == "class":
        raise InputError(
            "expected answers that are whole numbers or true and false for several images an example, got labels; "
            "number them, or give one image an example"
        )
    if task.answers.type.name not in ("int", "bool"):
        raise InputError(
            "expected final answers that are whole numbers, true and false, or (of one image each) labels, got "
            f"{format_type(task.answers.type, 6)}; give what is asked of the images as one of these, a task for each"
        )


def _run(growing: Growing, parts: Sequence[object]) -> None:
    """Search: parts first, then new readers."""
    _recall(growing)
    if growing.enough(_RECALLED):
        growing.ended = "a part of an earlier model answers it"
        _train_further(growing)
        return
    adopt(growing, parts, _RECALLED)
    if growing.enough(_RECALLED):
        return
    search_new(growing)


def _recall(growing: Growing) -> None:
    """Readers of earlier models as they are: what they see is known, so programs are found as from examples."""
    for reader in growing.readers:
        if growing.clock.left <= 0:
            return
        with growing.stage("reading with parts"):
            seen = growing.seen(reader, reader.fit, growing.train)
        with growing.stage("searching"):
            found = rank_known(
                growing.look,
                seen,
                growing.train.target,
                reader.classes,
                seed=growing.seed,
                deadline=growing.clock.search_end,
            )
            growing.considered += found.considered
        for place, each in enumerate(found.programs[:6]):
            candidate = Candidate(each.term, each.cost, reader, fit=reader.fit)
            if each.score < found.guessing:
                break
            candidate.accuracy = growing.held_share(candidate)
            growing.tried.append(candidate)
            if place == 0:
                growing.take(candidate)
                growing.ties = _near(found.programs)


def _train_further(growing: Growing) -> None:
    """A copy of the part's reader, trained under the program that was found: many labels teach it more."""
    best = growing.best
    if best is None or best.accuracy is None or best.accuracy >= _GOOD or growing.over():
        return
    if len(growing.train) < _MANY:
        return
    reader = replace(best.reader, way="part trained further", frozen=frozenset())
    further = Candidate(best.term, best.cost, reader)
    with growing.stage("training"):
        growing.train_in(further, None, _FURTHER)
    growing.take(further)


def _near(programs: Sequence[Answering]) -> list[TiedProgram]:
    first = programs[0]
    return [
        TiedProgram(
            format_term(each.term),
            f"answers {each.right:.1%} of the examples, this one {first.right:.1%}",
        )
        for each in programs[1:]
        if first.score - each.score < 3.0
    ]


def _compare(growing: Growing) -> None:
    """The plain network on the same examples."""
    spent = time.process_time() - growing.began
    seconds = min(max(_PLAIN_SHARE * spent, _PLAIN_LEAST), _PLAIN_MOST, max(growing.clock.left, 0.0))
    if seconds < 0.3:
        return
    with growing.stage("plain network"):
        try:
            growing.plain = train_plain(
                growing.look,
                growing.train,
                growing.held,
                np.random.default_rng([growing.seed, 13]),
                cpu_seconds=seconds,
                deadline=growing.clock.search_end,
            )
        except MeristemError as error:
            growing.notes.append(f"no plain network was trained: {error}")


__all__ = ["grow_perception"]
