"""What growing a reader from labels comes to: the model, with its report."""

from __future__ import annotations

import math
import platform
import time
from typing import Any

import numpy as np

from meristem._version import __version__
from meristem.growth.labels import Labelling
from meristem.language.terms import Literal
from meristem.language.text import format_term
from meristem.model.perception_report import PerceptionReport
from meristem.model.program import Program
from meristem.model.program_model import ProgramModel
from meristem.model.report import Effort
from meristem.task.budget import Budget
from meristem.types import format_type

_KEPT_EXAMPLES = 4


def model_of_labels(labelling: Labelling, budget: Budget) -> ProgramModel:
    """The best reader there is."""
    task, clock = labelling.task, labelling.clock
    term, fit = labelling.term_and_fit()
    program = Program(term, dict(task.input_types), labelling.target, fit, exact=True)
    kept = task if task.held is None or not len(task.held) else task.held
    rows = np.arange(min(_KEPT_EXAMPLES, len(kept)))
    accuracy, held = labelling.held_share(term, fit)
    error = math.sqrt(max(labelling.constant * (1 - labelling.constant), 1e-4) / max(held, 1))
    constant = isinstance(term, Literal)
    best = labelling.best
    shares: tuple[float, ...] = ()
    if best is not None and best.seen.any() and labelling.classes <= 20:
        seen = best.scores[best.seen].argmax(axis=1)
        shares = tuple((np.bincount(seen, minlength=labelling.classes) / len(seen)).tolist())
    notes = list(labelling.notes)
    if best is not None and not constant:
        notes.append(
            f"reader: {best.shown}, {format_type(labelling.image, 6)} to {labelling.classes} classes"
        )
    versions = {"meristem": __version__, "python": platform.python_version(), "numpy": np.__version__}
    report = PerceptionReport(
        name=task.name,
        examples=len(task),
        further=0,
        types={name: str(type_) for name, type_ in task.input_types.items()},
        output=format_type(labelling.target, 12),
        effort=Effort(
            seconds=clock.elapsed,
            budget_seconds=None if math.isinf(clock.limit) else clock.limit,
            budget_trials=budget.trials,
            workers=1,
            seed=labelling.seed,
            versions=versions,
        ),
        program=format_term(term),
        bits=0.5,
        agreement=1.0,
        asked=0,
        considered=len(labelling.ways),
        ended="stopped by the user" if clock.stopped else labelling.ended,
        findings=tuple(finding.text for finding in task.findings),
        notes=tuple(notes),
        way="" if best is None or constant else best.name,
        held=held,
        accuracy=float(accuracy),
        plain=labelling.alone(),
        constant=labelling.constant,
        classes=labelling.classes,
        prior=shares,
        entropy=labelling.entropy,
        tried_programs=labelling.listed()[:20],
        stages=_times(labelling.stages),
        cpu_seconds=time.process_time() - labelling.began,
        explained=not constant and (held == 0 or accuracy > labelling.constant + 3 * error),
    )
    answers: Any = kept.answers
    return ProgramModel(
        program,
        task.name,
        task.output,
        {name: column.take(rows) for name, column in kept.inputs.items()},
        answers.take(rows),
        report.to_json(),
    )


def _times(stages: dict[str, float]) -> dict[str, str]:
    return {name: f"{seconds:.1f}" for name, seconds in stages.items()}


__all__ = ["model_of_labels"]
