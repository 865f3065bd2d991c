"""`grow`: one door for every kind of task."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from meristem import events
from meristem.errors import InputError
from meristem.language.terms import Term
from meristem.model import Model, ProgramModel
from meristem.task.arrays import ArrayTask
from meristem.task.budget import Budget
from meristem.task.examples import ExampleTask
from meristem.task.objective import Objective
from meristem.task.task import Task

if TYPE_CHECKING:
    from meristem.growth.clock import Clock
    from meristem.library import Library


@overload
def grow(
    task: Task,
    *,
    budget: Budget | str | float | None = None,
    objective: Objective | None = None,
    seed: int = 0,
    parts: Sequence[Model] = (),
    start: Model | None = None,
    sketch: str | Term | None = None,
    quiet: bool = False,
    listeners: Sequence[events.Listener] = (),
    began: float | None = None,
    library: Library | str | os.PathLike[str] | bool | None = None,
) -> Model: ...


@overload
def grow(
    task: ExampleTask,
    *,
    budget: Budget | str | float | None = None,
    seed: int = 0,
    parts: Sequence[ProgramModel] = (),
    start: ProgramModel | None = None,
    sketch: str | Term | None = None,
    wrong: float = 0.0,
    quiet: bool = False,
    listeners: Sequence[events.Listener] = (),
    began: float | None = None,
    library: Library | str | os.PathLike[str] | bool | None = None,
) -> ProgramModel: ...


@overload
def grow(
    task: ArrayTask,
    *,
    budget: Budget | str | float | None = None,
    seed: int = 0,
    parts: Sequence[ProgramModel] = (),
    quiet: bool = False,
    listeners: Sequence[events.Listener] = (),
    began: float | None = None,
    library: Library | str | os.PathLike[str] | bool | None = None,
) -> ProgramModel: ...


def grow(
    task: Task | ExampleTask | ArrayTask,
    *,
    budget: Budget | str | float | None = None,
    objective: Objective | None = None,
    seed: int = 0,
    parts: Sequence[Any] = (),
    start: Any = None,
    sketch: str | Term | None = None,
    wrong: float = 0.0,
    quiet: bool = False,
    listeners: Sequence[events.Listener] = (),
    began: float | None = None,
    library: Library | str | os.PathLike[str] | bool | None = None,
) -> Model | ProgramModel:
    """Grow a model for a task: of a table, from input-output examples, or of images with final answers.

    Args:
        task: What to learn: `Task.from_table(...)`, `Task.from_examples(...)` or `Task.from_arrays(...)`.
        budget: Seconds as a number or text (`"60s"`), or a `Budget`. The call ends within 1.05 times the seconds plus
            half a second. A program from examples is given as soon as nothing likelier comes.
        objective: For a table, what counts as good; log-loss for classes and RMSE for numbers where left out.
        seed: Source of all randomness. With a budget in trials the same seed gives the same `model.hash`.
        parts: Models whose programs are tried first. Of images and sounds what they see with is tried too: as it is,
            with a new head, trained further; and their programs with another reader where theirs does not fit.
        start: A model to go on from: its program is tried first, and is among those that may answer.
        sketch: A program as text to try first. For examples it may have holes, `sort_by(?, x)`, and only its fillings
            are searched.
        wrong: For examples, the share of them that may be wrong, from 0 to below 0.5.
        quiet: Show no progress.
        listeners: Callables that are told of every `meristem.events.Event`.
        began: The `time.monotonic()` time from which the seconds of the budget count, where that is not this call:
            reading the table may be part of what the user waits for.
        library: A folder, a `Library`, or True for your own: what it knows is tried too, and the model is kept there.

    Returns:
        The best model found. Ctrl-C ends the search early and gives the best so far; a second one raises.

    Raises:
        InputError: An argument cannot be used; says why.
        MeristemError: No program fits the examples; says how near the best one came, and what to do.
    """
    known = _library(library)
    if isinstance(task, ExampleTask):
        if objective is not None:
            raise InputError("objective: a program from examples answers them or does not; leave it out")
        from meristem.growth.programs import grow_program

        limits = Budget.of(budget)
        return grow_program(
            task,
            limits,
            _clock(limits, began),
            seed=checked_seed(seed),
            parts=parts,
            start=start,
            sketch=sketch,
            wrong=wrong,
            quiet=quiet,
            listeners=listeners,
            library=known,
        )
    if isinstance(task, ArrayTask):
        given = {"objective": objective, "start": start, "sketch": sketch, "wrong": wrong or None}
        for name, value in given.items():
            if value is not None:
                raise InputError(f"{name}: not for programs with perception; leave it out")
        from meristem.growth.keeping import keep, parts_for, used_by
        from meristem.growth.perception import grow_perception

        limits = Budget.of(budget)
        recalled, entries = parts_for(known, task) if known is not None else ([], {})
        grown = grow_perception(
            task,
            limits,
            _clock(limits, began),
            seed=checked_seed(seed),
            parts=[*parts, *recalled],
            quiet=quiet,
            listeners=listeners,
        )
        if known is not None:
            keep(known, grown, used_by(grown, entries))
        return grown
    if not isinstance(task, Task):
        raise InputError(
            f"expected a task, got {type(task).__name__}; make one with Task.from_table, Task.from_examples or "
            "Task.from_arrays"
        )
    if wrong:
        raise InputError("wrong: only for programs from examples; a model of a table expects noise anyway")
    from meristem.growth.run import grow as grow_table

    made = grow_table(
        task,
        budget=budget,
        objective=objective,
        seed=seed,
        parts=parts,
        start=start,
        sketch=sketch,
        quiet=quiet,
        listeners=listeners,
        began=began,
    )
    if known is not None:
        from meristem.growth.keeping import keep

        keep(known, made)
    return made


def _library(value: Any) -> Library | None:
    if value is None or value is False:
        return None
    from meristem.library import Library

    return Library.of(value)


def checked_seed(seed: Any) -> int:
    """A seed as a number.

    Raises:
        InputError: It is none.
    """
    import numpy as np

    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"expected a seed of 0 or more, got {seed!r}")
    return int(seed)


def _clock(budget: Budget, began: float | None) -> Clock:
    from meristem.growth.clock import Clock

    return Clock(budget.limit) if began is None else Clock(budget.limit, min(began, time.monotonic()))


__all__ = ["grow"]
