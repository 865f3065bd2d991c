"""What a growing program with perception comes to: the model, with its report."""

from __future__ import annotations

import math
import platform
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem._version import __version__
from meristem.growth.perception_state import Candidate, Growing
from meristem.growth.plain_network import PlainResult, labels_to_turn
from meristem.growth.readers import described, shares_of
from meristem.language.terms import Literal, Term
from meristem.language.text import format_term
from meristem.model.perception_report import BEYOND, PerceptionReport, TriedProgram
from meristem.model.program import Program
from meristem.model.program_model import ProgramModel
from meristem.model.report import Effort
from meristem.model.words import percent
from meristem.search.hybrid.known import right_rows
from meristem.search.hybrid.readings import applied

_KEPT_RIGHT, _KEPT_WRONG = 2, 4  # held-out examples that a model keeps to be looked at


def model_of(growing: Growing) -> ProgramModel:
    """The best there is."""
    best = growing.best
    if best is not None and (best.accuracy or 0.0) < growing.constant:
        growing.notes.append(
            f"the best program that was tried, {format_term(best.term)}, answers {percent(best.accuracy or 0.0)} of "
            f"the held-out examples, the most frequent answer {percent(growing.constant)}: that one is given"
        )
        best = None
    look = growing.look
    target = growing.train.target.type
    if best is None:
        term: Term = Literal(growing.usual, target)
        fit: dict[str, Any] = {}
    elif target.name == "class":
        term, fit = applied(best.reader.node, look.places[0].image), dict(best.fit)
    else:
        term, fit = best.reader.over(look, best.term), dict(best.fit)
    program = Program(term, dict(growing.task.input_types), target, fit, exact=True)
    rows = _kept(growing, best)
    examples = {name: column.take(rows) for name, column in growing.held.inputs.items()}
    report = _report(growing, term, best)
    return ProgramModel(
        program,
        growing.task.name,
        growing.task.output,
        examples,
        growing.held.target.take(rows),
        report.to_json(),
    )


def _kept(growing: Growing, best: Candidate | None) -> NDArray[np.int64]:
    """The held-out examples that a model keeps: some that it answers, and then some that it does not."""
    right = np.zeros(len(growing.held), np.bool_)
    if best is not None:
        seen = growing.seen(best.reader, best.fit, growing.held)
        right = right_rows(growing.look, seen, growing.held.target, best.term)
    found: NDArray[np.int64] = np.concatenate(
        [np.flatnonzero(right)[:_KEPT_RIGHT], np.flatnonzero(~right)[:_KEPT_WRONG]]
    )
    return found


def _report(growing: Growing, term: Term, best: Candidate | None) -> PerceptionReport:
    accuracy = growing.constant if best is None or best.accuracy is None else best.accuracy
    error = math.sqrt(max(growing.constant * (1 - growing.constant), 1e-4) / max(len(growing.held), 1))
    explained = best is not None and best.learned and accuracy > growing.constant + 3 * error
    if growing.clock.stopped:
        growing.ended = "stopped by the user"
    prior: tuple[float, ...] = ()
    classes = 0
    if best is not None and growing.train.target.type.name != "class":
        classes = best.reader.classes
        seen = growing.seen(best.reader, best.fit, growing.held)
        prior = tuple(float(p) for p in shares_of(seen, classes))
        growing.notes.append(f"reader: {described(best.reader, growing.look)}")
    tried = sorted(growing.tried, key=lambda c: (-(c.accuracy or -1.0), c.loss or math.inf, c.cost))
    versions = {"meristem": __version__, "python": platform.python_version(), "numpy": np.__version__}
    return PerceptionReport(
        name=growing.task.name,
        examples=len(growing.train),
        further=0,
        types={name: str(type_) for name, type_ in growing.task.input_types.items()},
        output=str(growing.train.target.type),
        effort=Effort(
            seconds=growing.clock.elapsed,
            budget_seconds=None if math.isinf(growing.clock.limit) else growing.clock.limit,
            budget_trials=growing.budget.trials,
            workers=1,
            seed=growing.seed,
            versions=versions,
        ),
        program=format_term(term),
        bits=0.5 * (best.cost if best is not None else 1.0),
        agreement=1.0,
        asked=0,
        considered=growing.considered,
        ended=growing.ended,
        findings=tuple(finding.text for finding in growing.task.findings),
        notes=(*growing.notes, *_rivals(growing.plain)),
        way="" if best is None else best.reader.way,
        held=len(growing.held),
        accuracy=float(accuracy),
        plain=None if growing.plain is None else growing.plain.accuracy,
        plain_name="" if growing.plain is None else growing.plain.name,
        turn=_turn(growing.plain, float(accuracy), len(growing.held)),
        constant=growing.constant,
        classes=classes,
        prior=prior,
        entropy=growing.entropy,
        tried_programs=tuple(_listed(c) for c in tried[:20]),
        ties=tuple(growing.ties[:20]),
        stages={name: f"{seconds:.1f}" for name, seconds in growing.stages.items()},
        cpu_seconds=time.process_time() - growing.began,
        explained=bool(explained),
    )


def _rivals(plain: PlainResult | None) -> tuple[str, ...]:
    """What the plain networks did that were compared, in words."""
    if plain is None or not plain.rivals:
        return ()
    found: dict[int, list[str]] = {}
    for name, labels, share in plain.rivals:
        found.setdefault(labels, []).append(f"{name} {percent(share)}")
    said = "; ".join(f"{', '.join(each)} from {labels:,} labels" for labels, each in found.items())
    return (f"plain networks that were compared: {said}",)


def _turn(plain: PlainResult | None, accuracy: float, held: int) -> float | None:
    found = None if plain is None else labels_to_turn(plain.points, accuracy, held)
    return BEYOND if found is not None and math.isinf(found) else found


def _listed(candidate: Candidate) -> TriedProgram:
    loss = candidate.loss
    return TriedProgram(
        format_term(candidate.term),
        float(candidate.cost),
        candidate.gap,
        None if loss is None or not math.isfinite(loss) else float(loss),
        candidate.steps,
        None if candidate.accuracy is None else float(candidate.accuracy),
        float(candidate.cpu_seconds),
    )


__all__ = ["model_of"]
