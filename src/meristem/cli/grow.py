"""`meristem grow`: from a table to a model file."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meristem.cli.places import check_place, default_model_path, quoted
from meristem.cli.session import Session, WrongUse, note, say, warn
from meristem.errors import InputError

if TYPE_CHECKING:
    from meristem.events import Event
    from meristem.library import Library
    from meristem.model import Model
    from meristem.model.report import Report
    from meristem.task import Budget, Objective

DEFAULT_BUDGET = "60s"
_SAVING = 0.2  # seconds kept back for writing files, printing, and the end of the process
_SOURCE_LINES = 40


@dataclass(frozen=True)
class GrowOptions:
    """The options of `meristem grow` as they were typed; `meristem grow --help` says what they mean."""

    data: Path
    target: str | None
    budget: str | None = None
    trials: int | None = None
    metric: str | None = None
    out: Path | None = None
    report: Path | None = None
    seed: int = 0
    time_column: str | None = None
    group_column: str | None = None
    weight_column: str | None = None
    max_size: str | None = None
    cores: int | None = None
    memory: str | None = None
    as_program: bool = False
    sketch: str | None = None
    wrong: float = 0.0
    types: str | None = None
    further: Path | None = None
    name: str | None = None
    out_table: Path | None = None
    library: str | None = None
    as_json: bool = False
    quiet: bool = False

    @property
    def model_path(self) -> Path:
        """Where the model goes."""
        return self.out if self.out is not None else default_model_path(self.data)


@dataclass(frozen=True)
class Files:
    """What was written."""

    model: Path
    size: int
    report: Path | None
    replaced: bool = False


def grow_command(session: Session, options: GrowOptions) -> None:
    """Read the table, grow, write the files, and say what came out.

    Raises:
        WrongUse: An option's value cannot be read.
        InputError: The table, a column or a place for the files cannot be used.
    """
    from meristem.reading.examples import is_example_file

    session.when_stopped, session.as_json = "stopped: nothing was saved", options.as_json
    if options.as_program or is_example_file(options.data):
        from meristem.cli.grow_program import grow_program_command

        grow_program_command(session, options)
        return
    if options.target is None:
        raise WrongUse(
            "Missing option '--target', the column to predict; for a program from examples in a table add --as-program"
        )
    for option, value in (
        ("--wrong", options.wrong),
        ("--types", options.types),
        ("--further", options.further),
        ("--name", options.name),
        ("--out-table", options.out_table),
    ):
        if value:
            raise WrongUse(f"{option} is for programs from examples; add --as-program, or leave it out")
    from meristem.growth import grow
    from meristem.task import Task

    budget, objective = _limits(options)
    check_place(options.model_path, "--out", (options.data,))
    if options.report is not None:
        check_place(options.report, "--report", (options.data, options.model_path))
        if options.report == options.model_path:
            raise InputError(
                f"--report: {str(options.report)!r} is where the model goes; choose another name"
            )
    if options.metric is not None:
        from meristem.reading.beginning import early_target

        if (early := early_target(options.data, options.target)) is not None:
            objective.scorer(early.type, early.values)  # better now than when the whole table is read
    try:
        task = Task.from_table(
            options.data,
            options.target,
            time_column=options.time_column,
            group_column=options.group_column,
            weight_column=options.weight_column,
        )
    except InputError:
        _hint_at_programs(options.data, options.target)
        raise
    if any(finding.kind == "rows_dropped" for finding in task.findings):
        _hint_at_programs(options.data, options.target)
    began = session.began - _SAVING
    if budget.limit == 0:
        warn(
            "--budget: 0 s leave no time to search: the model is the same answer for every row; give it more time"
        )
    elif time.monotonic() - began >= budget.limit:
        warn(
            "reading the table took the whole budget: the model is the same answer for every row; give it more time"
        )
    ending = Ending()
    silent = options.quiet or options.as_json
    model = grow(
        task,
        budget=budget,
        objective=objective,
        seed=options.seed,
        sketch=options.sketch,
        quiet=silent,
        listeners=[ending],
        began=began,
        library=chosen_library(options),
    )
    files = _write(model, options)
    session.when_stopped = f"stopped: the model is saved in {files.model}"
    report = model.report()
    if options.as_json:
        say(json.dumps(summary(model, report, files, ending.stopped), allow_nan=False))
        return
    if ending.stopped:
        note("stopped early: this is the best found so far")
    if options.quiet:
        from meristem.model.sentences import score_line, warnings

        for text in warnings(report):
            warn(text)
        replaced = ", in place of the file that was there" if files.replaced else ""
        say(f"{score_line(report)}; saved in {files.model}{replaced}")
        return
    _tell(model, report, files, options)


def chosen_library(options: GrowOptions) -> Library | None:
    """The library that growing uses; none where none is named."""
    if options.library is None:
        return None
    from meristem.cli.library import open_library

    return open_library(options.library)


class Ending:
    """Listens for the end that Ctrl-C makes."""

    def __init__(self) -> None:
        self.stopped = False

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        from meristem.events import Phase

        self.stopped = self.stopped or (isinstance(event, Phase) and event.name == "stopping")


def _limits(options: GrowOptions) -> tuple[Budget, Objective]:
    from meristem.task import Budget, Objective
    from meristem.task.budget import bytes_from

    seconds = options.budget if options.budget is not None or options.trials is not None else DEFAULT_BUDGET
    checks: list[tuple[str, Any]] = [
        ("--budget", lambda: Budget(seconds=seconds, trials=0)),
        ("--trials", lambda: Budget(trials=options.trials)),
        ("--cores", lambda: Budget(cores=options.cores)),
        ("--memory", lambda: Budget(memory=options.memory)),
        ("--metric", lambda: Objective(metric=options.metric)),
        ("--max-size", lambda: options.max_size is None or bytes_from(options.max_size)),
    ]
    for name, check in checks:
        try:
            check()
        except InputError as error:
            raise WrongUse(f"{name}: {error}") from None
    if options.seed < 0:
        raise WrongUse(f"--seed: expected 0 or more, got {options.seed}")
    budget = Budget(seconds=seconds, trials=options.trials, cores=options.cores, memory=options.memory)
    return budget, Objective(metric=options.metric, max_size=options.max_size)


def _write(model: Model, options: GrowOptions) -> Files:
    from meristem.model.file import write_whole

    data = model.to_bytes()
    replaced = options.model_path.exists()
    if replaced and options.out is None:
        _refuse_baseline(model.report(), options.model_path)
    write_whole(options.model_path, data)
    if options.report is not None:
        write_whole(
            options.report, page(model, next_commands(options.model_path, model.schema.target.name)).encode()
        )
    return Files(options.model_path, len(data), options.report, replaced)


def _refuse_baseline(report: Report, place: Path) -> None:
    """See that a model that knows nothing does not replace a file that nobody named."""
    from meristem.model.sentences import left_out

    why = left_out(report, "model")
    if why or report.best.loss >= report.baseline.loss:
        because = f" ({why.rstrip('.')})" if why else ""
        raise InputError(
            f"{str(place)!r} is there already and was kept, because the new model is no better than the same answer "
            f"for every row{because}; name another file with --out to save it all the same, or give it more time"
        )


def _hint_at_programs(data: Path, target: str) -> None:
    """Say that there are programs too where most cells of the target are empty: a table to be filled, perhaps."""
    from meristem.reading.files import read_table
    from meristem.task.cells import MISSING
    from meristem.task.features import texts_of

    try:
        texts = texts_of(read_table(data).column(target))
    except (InputError, KeyError):
        return  # what is wrong is said elsewhere
    there = [text.strip() not in MISSING for text in texts.pool] + [False]
    empty = sum(not there[code] for code in texts.codes.tolist())
    if 2 * empty > len(texts):
        warn(
            f"{empty:,} of {len(texts):,} cells of {target!r} are empty; if the others are examples by which they "
            "are to be filled, add --as-program"
        )


def page(model: Model, commands: list[tuple[str, str]]) -> str:
    """The report as one HTML page, with the picture and the source of the program."""
    report = replace(model.report(), next=tuple(f"{what}: {command}" for what, command in commands))
    return report.html(model.picture(), model.source())


def next_commands(model: Path, target: str) -> list[tuple[str, str]]:
    """What to type next: (what it does, command). The tables are others than the one it was grown from."""
    from meristem.model.words import clean

    name = quoted(model)
    return [
        (
            "predict new rows: new.csv, with the same columns",
            f"meristem predict {name} new.csv --out predictions.csv",
        ),
        (
            f"measure it on rows it has not seen: held-out.csv, with {clean(target, 40)}",
            f"meristem score {name} held-out.csv",
        ),
        ("everything about the model", f"meristem show {name}"),
    ]


def _tell(model: Model, report: Report, files: Files, options: GrowOptions) -> None:
    from meristem.cli.display import heading, show_commands, show_report, show_source
    from meristem.model.words import byte_size

    # The blend's parts and the candidates are left to `meristem show`: the program says what was found.
    show_report(replace(report, members=(), candidates=(), files=(), next=()))
    heading("The program")
    left_out = show_source(model.source(), _SOURCE_LINES)
    if left_out:
        say(f"... and {left_out:,} more lines: meristem show {quoted(files.model)} --source")
    heading("Where it is")
    say(f"  {files.model}  the model, {byte_size(files.size)}, safe to pass on: no code, no row of the table")
    if files.replaced:
        say("    it replaced the file of that name that was there")
    if files.report is not None:
        say(f"  {files.report}  the report, for a browser")
    heading("What to type next")
    show_commands(next_commands(files.model, model.schema.target.name))


def summary(model: Model, report: Report, files: Files, stopped: bool) -> dict[str, Any]:
    """What `--json` prints. Names stay as they are once released; new ones may come."""
    from meristem.cli.display import score_json
    from meristem.model.sentences import warnings

    ends: dict[str, int] = {}
    for candidate in report.candidates:
        ends[candidate.outcome] = ends.get(candidate.outcome, 0) + 1
    return {
        "model": str(files.model),
        "bytes": files.size,
        "replaced": files.replaced,
        "report": None if files.report is None else str(files.report),
        "hash": model.hash,
        "target": report.facts.target,
        "kind": model.kind,
        "rows": report.facts.rows,
        "columns": report.facts.columns,
        "metric": report.facts.metric,
        "greater_is_better": report.facts.greater_is_better,
        "score": score_json(report.best),
        "baseline": score_json(report.baseline),
        "seconds": round(report.effort.seconds, 3),
        "seed": report.effort.seed,
        "stopped": stopped,
        "candidates": ends,
        "findings": list(report.facts.findings),
        "warnings": warnings(report),
        "left_out": {item.what: item.why for item in report.left_out},
        "source": model.source(),
    }
