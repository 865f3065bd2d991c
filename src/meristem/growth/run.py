"""`grow`: from a task to a model."""

from __future__ import annotations

import difflib
import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem import events
from meristem.errors import InputError, MeristemError
from meristem.executors import open_executor
from meristem.executors.threads import one_thread
from meristem.growth.clock import Clock, one_interrupt
from meristem.growth.ensemble import Composed, Selection, compose, honest_output, select
from meristem.growth.explain import Explained, explain, least_report
from meristem.growth.limits import Limits
from meristem.growth.loop import Growth
from meristem.growth.size import sample_rows, trial_cells, typical_row
from meristem.language.infer import infer
from meristem.language.kinds import KINDS
from meristem.language.terms import Call, Hole, Module, Term
from meristem.language.vocabulary import VOCABULARY
from meristem.model import Model, Program
from meristem.modules.blend import values_of
from meristem.search import STRATEGIES, Portfolio, Recall, Setting, Strategy
from meristem.search.pipelines import constant
from meristem.task.budget import Budget
from meristem.task.objective import Objective, Scorer
from meristem.training import Examples, cross_fit, fit_term, split
from meristem.training.jobs import share_task
from meristem.values import Column, Rows

if TYPE_CHECKING:
    from meristem.task import Task

_RESIDUAL_QUANTILES = 401
_DRIVER_MEMORY = 250_000_000  # bytes of this process beside the data


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
) -> Model:
    """Grow a model for a task.

    Args:
        task: What to learn.
        budget: Seconds as a number or text (`"60s"`), or a `Budget`. The call ends within 1.05 times the seconds plus
            half a second.
        objective: What counts as good; log-loss for classes and RMSE for numbers where left out.
        seed: Source of all randomness. With a budget in trials the same seed gives the same `model.hash`.
        parts: Models whose programs are tried first.
        start: A model to go on from: its program is tried first, and is among those that may answer.
        sketch: The text form of a program to try first.
        quiet: Show no progress.
        listeners: Callables that are told of every `meristem.events.Event`.
        began: The `time.monotonic()` time from which the seconds of the budget count, where that is not this call:
            reading the table may be part of what the user waits for.

    Returns:
        The best model found. Ctrl-C ends the search early and gives the best so far; a second one raises.

    Raises:
        InputError: An argument cannot be used; says why.
    """
    budget = Budget.of(budget)
    objective = objective if objective is not None else Objective()
    if not isinstance(objective, Objective):
        raise InputError(
            f"expected an Objective, got {objective!r}; for a metric: Objective(metric={objective!r})"
        )
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"expected a seed of 0 or more, got {seed!r}")
    clock = Clock(budget.limit) if began is None else Clock(budget.limit, min(began, time.monotonic()))
    if budget.seconds is not None:  # what is planned is planned for the time that is left
        budget = replace(budget, seconds=max(budget.limit - clock.elapsed, 0.0))
    scorer = objective.scorer(task.target.type, task.schema.target.values)
    opening = _opening(task, parts, start, sketch)
    hub = events.Hub(list(listeners))
    with ExitStack() as stack:
        if not quiet:
            from meristem.report.progress import progress

            stack.enter_context(progress(hub))
        stack.enter_context(one_interrupt(clock))
        stack.enter_context(one_thread())
        return _grow(task, budget, objective, int(seed), clock, scorer, opening, hub)


def _opening(
    task: Task, parts: Sequence[Model], start: Model | None, sketch: str | Term | None
) -> list[Strategy]:
    """The strategies that are asked before the others."""
    terms: list[Term] = []
    if sketch is not None:
        from meristem.language.text import parse_term

        term = parse_term(sketch) if isinstance(sketch, str) else sketch
        if any(isinstance(node, Hole) for node in term.walk()):
            raise InputError("expected a sketch without holes for a table, got one with '?': say each part")
        try:
            infer(term, task.input_types, task.target.type)
        except MeristemError as error:
            raise InputError(f"the sketch cannot be used: {error}{_meant(term)}") from None
        terms.append(term)
    for model in ([start] if start is not None else []) + list(parts):
        if not isinstance(model, Model):
            raise InputError(
                f"expected models as start and parts, got {type(model).__name__}; load files with ms.load"
            )
        if model is start:
            _check_start(task, model)
        terms += members_of(model.program.term)
    return [Recall(terms), *STRATEGIES.opening()] if terms else STRATEGIES.opening()


def _check_start(task: Task, start: Model) -> None:
    """Check that a model to go on from answers the task's question.

    Raises:
        InputError: It answers something else, or reads other columns.
    """
    old, new = start.schema, task.schema
    advice = "pass it as parts=[model] to have its programs tried all the same, or leave it out"
    if (old.target.name, old.target.kind) != (new.target.name, new.target.kind):
        what = {"regression": "a number", "classification": "a class"}
        raise InputError(
            f"expected a start model that answers {new.target.name!r} ({what[new.target.kind]}), got one that answers "
            f"{old.target.name!r} ({what[old.target.kind]}); {advice}"
        )
    if not {f.name for f in old.features} & {f.name for f in new.features}:
        names = ", ".join(repr(f.name) for f in old.features[:4])
        raise InputError(
            f"expected a start model of a table like this one, got one that reads none of its columns but {names}; "
            f"{advice}"
        )


def _meant(term: Term) -> str:
    """A hint at names in a term that are neither functions nor module kinds."""
    known = [kind.name for kind in KINDS] + [entry.name for entry in VOCABULARY]
    for node in term.walk():
        name = node.kind if isinstance(node, Module) else node.name if isinstance(node, Call) else None
        if name is not None and name not in known:
            close = difflib.get_close_matches(name, known, 1)
            return f"; did you mean {close[0]!r}?" if close else ""
    return ""


def members_of(term: Term) -> list[Term]:
    """The candidates that a model's program was made of."""
    while isinstance(term, Module) and term.kind == "temperature":
        (term,) = term.args
    if isinstance(term, Module) and term.kind == "blend":
        return list(term.args)
    return [term]


def _grow(
    task: Task,
    budget: Budget,
    objective: Objective,
    seed: int,
    clock: Clock,
    scorer: Scorer,
    opening: list[Strategy],
    hub: events.Hub,
) -> Model:
    workers, limits = budget.workers, Limits.of(objective)
    kept = sample_rows(task, budget, seed)
    if kept is not None:
        hub.send(
            events.Warned(
                clock.elapsed, f"uses {len(kept):,} of {len(task):,} rows: more would not fit the budget"
            )
        )
    used = task if kept is None else task.take(kept)
    examples = Examples(used.inputs, used.target, used.weights, used.groups)
    memory = _worker_memory(budget, examples, workers)
    with open_executor(
        workers, memory=memory, preload=("meristem.training.jobs", "meristem.training.warm")
    ) as pool:
        splits = split(
            examples, np.random.default_rng([seed, 1]), ordered=task.ordered, cells=trial_cells(budget)
        )
        setting = Setting(used.schema.type, used.target.type, len(used), seed)
        portfolio = Portfolio(setting, opening, STRATEGIES.others())
        growth = Growth(examples, splits, portfolio, pool, scorer, budget, clock, hub, seed, limits.size)
        hub.send(
            events.Started(
                clock.elapsed,
                task.name,
                None if math.isinf(clock.limit) else clock.limit,
                budget.trials,
                workers,
                scorer.name,
                scorer.metric.greater,
            )
        )
        # It looks at no feature, so it gets none: with very many columns that is much faster.
        answers = replace(examples, inputs={"row": Rows({}, len(examples))})
        baseline = cross_fit(constant(), answers, splits, seed=seed)
        base_output = values_of(baseline.output)
        base_loss = _first_loss(scorer, growth, base_output)
        hub.send(events.Baseline(clock.elapsed, base_loss))
        base_fit = fit_term(constant(), answers, seed=seed).fit
        example = typical_row(used)
        if limits.size is not None:  # what nothing can be is said before the search
            floor = _compose(growth, None, base_fit, base_output, base_loss)[0]
            least = least_report(Explained(task, used, growth, None, floor, base_output, base_loss, seed))
            limits.check(replace(_model(task, floor, growth, scorer, example), record=least.to_json()))
        if budget.trials != 0 and clock.left > 0:
            pool.share("task", *share_task(examples, splits))
            hub.send(events.Phase(clock.elapsed, "searching"))
            growth.run()
        hub.send(events.Phase(clock.elapsed, "putting together"))
        selection = growth.selection
        pool.kill()

    def put_together(chosen: Selection | None) -> tuple[Composed, Selection | None]:
        return _compose(growth, chosen, base_fit, base_output, base_loss)

    selection = limits.shrink(
        selection,
        list(portfolio.history.scored()),
        lambda left: select(left, growth.y, growth.weights, scorer),
        lambda chosen: _model(task, put_together(chosen)[0], growth, scorer, example),
        clock.end - 0.5 * (clock.end - clock.search_end) if clock.limit < math.inf else clock.end,
    )
    composed, selection = put_together(selection)
    hub.send(events.Phase(clock.elapsed, "explaining"))
    if selection is not None:
        now = time.monotonic()
        deadline = now + 0.3 * (clock.end - now)
        told, rng = list(growth.portfolio.history.scored()), np.random.default_rng([seed, 4])
        honest = honest_output(told, growth.target, growth.y, growth.weights, scorer, rng, deadline)
        if honest is not None:
            composed = replace(composed, honest=honest)
    context = Explained(task, used, growth, selection, composed, base_output, base_loss, seed)
    model = _model(task, composed, growth, scorer, example)
    model = limits.fit_report(model, explain(context, model))
    limits.check(model)
    hub.send(events.Phase(clock.elapsed, "done"))
    return model


def _first_loss(scorer: Scorer, growth: Growth, output: NDArray[np.float64]) -> float:
    """The baseline's loss; a metric that fails here would fail everywhere, so it is said at once."""
    try:
        loss = float(scorer.loss(growth.y, output, growth.weights))
    except MeristemError:
        raise
    except Exception as error:
        if scorer.callable_ is None:
            raise
        raise InputError(
            f"expected a metric that gives a number for (answers, predictions), but {scorer.name} raised "
            f"{type(error).__name__}: {error}"
        ) from error
    if not math.isfinite(loss):
        raise InputError(f"expected a metric that gives finite numbers, but {scorer.name} gave {loss}")
    return loss


def _compose(
    growth: Growth,
    selection: Selection | None,
    base_fit: dict[str, Any],
    base_output: NDArray[np.float64],
    base_loss: float,
) -> tuple[Composed, Selection | None]:
    """The program of a selection; the baseline where there is none or it is no better."""
    inputs = growth.examples.types
    if selection is None or selection.loss >= base_loss:
        program = Program(constant(), inputs, growth.target.type, base_fit)
        return Composed(program, base_output, base_output), None
    return compose(selection, growth.fit_of, inputs, growth.target, growth.weights, growth.scorer), selection


def _model(task: Task, composed: Composed, growth: Growth, scorer: Scorer, example: Column | None) -> Model:
    """The model without its report."""
    residuals = None
    if task.kind == "regression":
        errors = growth.y - composed.honest
        residuals = np.quantile(errors, np.linspace(0, 1, _RESIDUAL_QUANTILES), method="median_unbiased")
    return Model(composed.program, task.schema, {}, scorer.costs, residuals, example)


def _worker_memory(budget: Budget, examples: Examples, workers: int) -> int | None:
    """Bytes for one worker."""
    if budget.memory is None or workers == 0:
        return None
    cells = len(examples) * max(1, sum(len(t.args) for t in examples.types.values()))
    left = budget.memory_bytes - _DRIVER_MEMORY - 10 * cells
    return max(left // workers, 150_000_000)


__all__ = ["grow", "members_of"]
