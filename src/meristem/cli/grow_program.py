"""`meristem grow` for examples: from pairs of inputs and answers to a program."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meristem.cli.grow import DEFAULT_BUDGET, Ending, GrowOptions, chosen_library
from meristem.cli.places import check_place, quoted
from meristem.cli.session import Session, WrongUse, note, say
from meristem.errors import InputError

if TYPE_CHECKING:
    from meristem.model import ProgramModel
    from meristem.task import Budget

_SAVING = 0.2  # seconds kept back for writing files, printing, and the end of the process
_SOURCE_LINES = 60
_TABLES_ONLY = ("metric", "time_column", "group_column", "weight_column", "max_size")


@dataclass(frozen=True)
class Files:
    """What was written."""

    model: Path
    size: int
    report: Path | None
    table: Path | None
    replaced: bool = False


def grow_program_command(session: Session, options: GrowOptions) -> None:
    """Read the examples, grow, write the files, and say what came out.

    Raises:
        WrongUse: An option's value cannot be read, or is for tables.
        InputError: The examples or a place for the files cannot be used.
        MeristemError: No program fits.
    """
    from meristem.growth import grow
    from meristem.reading.examples import is_example_file
    from meristem.task import Task

    budget = _checked(options)
    table = not is_example_file(options.data)
    if options.out_table is not None and not table:
        raise WrongUse(
            "--out-table: expected examples in a table (CSV, Parquet, ...), whose empty cells it fills"
        )
    _check_places(options)
    task = Task.from_examples(
        options.data,
        types=options.types,
        further=options.further,
        name=options.name,
        target=options.target,
    )
    ending = Ending()
    silent = options.quiet or options.as_json
    model = grow(
        task,
        budget=budget,
        seed=options.seed,
        sketch=options.sketch,
        wrong=options.wrong,
        quiet=silent,
        listeners=[ending],
        began=session.began - _SAVING,
        library=chosen_library(options),
    )
    files = _write(model, options)
    session.when_stopped = f"stopped: the model is saved in {files.model}"
    if options.as_json:
        say(json.dumps(summary(model, files), allow_nan=False))
    elif options.quiet:
        replaced = ", in place of the file that was there" if files.replaced else ""
        say(f"{model.report().program}; saved in {files.model}{replaced}")
    else:
        _tell(model, files)


def _checked(options: GrowOptions) -> Budget:
    from meristem.task import Budget

    for name in _TABLES_ONLY:
        if getattr(options, name) is not None:
            option = "--" + name.replace("_", "-")
            raise WrongUse(f"{option} is for models of a table; leave it out for a program from examples")
    if not 0 <= options.wrong < 0.5:
        raise WrongUse(f"--wrong: expected a share from 0 to below 0.5, got {options.wrong:g}")
    if options.seed < 0:
        raise WrongUse(f"--seed: expected 0 or more, got {options.seed}")
    seconds = options.budget if options.budget is not None or options.trials is not None else DEFAULT_BUDGET
    checks: list[tuple[str, Callable[[], Budget]]] = [
        ("--budget", lambda: Budget(seconds=seconds, trials=0)),
        ("--trials", lambda: Budget(trials=options.trials)),
        ("--cores", lambda: Budget(cores=options.cores)),
        ("--memory", lambda: Budget(memory=options.memory)),
    ]
    for option, build in checks:
        try:
            build()
        except InputError as error:
            raise WrongUse(f"{option}: {error}") from None
    if Budget(seconds=seconds, trials=0).limit == 0:
        raise WrongUse("--budget: expected a time above 0, in which to look for programs, got 0 s")
    return Budget(seconds=seconds, trials=options.trials, cores=options.cores, memory=options.memory)


def _check_places(options: GrowOptions) -> None:
    places = [("--out", options.model_path), ("--report", options.report), ("--out-table", options.out_table)]
    taken: list[Path] = [options.data]
    for option, place in places:
        if place is None:
            continue
        check_place(place, option, tuple(taken))
        if place in taken[1:]:
            raise InputError(
                f"{option}: {str(place)!r} is taken by another file of this command; choose another name"
            )
        taken.append(place)
    if options.out_table is not None:
        from meristem.cli.tables import format_of

        format_of(str(options.out_table), "--out-table")


def _write(model: ProgramModel, options: GrowOptions) -> Files:
    from meristem.model.file import write_whole

    data = model.to_bytes()
    replaced = options.model_path.exists()
    write_whole(options.model_path, data)
    if options.report is not None:
        from meristem.model.program_page import page

        write_whole(options.report, page(model).encode())
    if options.out_table is not None:
        from meristem.cli.program_answers import answers_table
        from meristem.cli.tables import format_of, write_table

        how = format_of(str(options.out_table), "--out-table")
        write_table(answers_table(model, options.data, (), True, how.text), str(options.out_table), how)
    return Files(options.model_path, len(data), options.report, options.out_table, replaced)


def next_commands(model: ProgramModel, path: Path) -> list[tuple[str, str]]:
    """What to type next: (what it does, command)."""
    from meristem.model.words import clean, joined

    name = quoted(path)
    columns = joined([clean(each, 30) for each in model.names])
    return [
        (f"answer new inputs: new.csv, with {columns}", f"meristem predict {name} new.csv --out answers.csv"),
        ("check it on examples that it has not seen", f"meristem score {name} more.csv"),
        ("the program as Python that stands alone", f"meristem show {name} --source > program.py"),
    ]


def _tell(model: ProgramModel, files: Files) -> None:
    from meristem.cli.display import heading, show_commands, show_source, width
    from meristem.model.words import byte_size

    report = model.report()
    say(report.text(width()).rstrip("\n"))
    heading("The program")
    left_out = show_source(model.short_source(), _SOURCE_LINES)
    if left_out:
        say(f"... and {left_out:,} more lines: meristem show {quoted(files.model)} --source")
    tell_questions(model)
    heading("Where it is")
    say(
        f"  {files.model}  the model, {byte_size(files.size)}: it holds data, no code; the examples are in it"
    )
    if files.replaced:
        say("    it replaced the file of that name that was there")
    if files.report is not None:
        say(f"  {files.report}  the report, for a browser")
    if files.table is not None:
        say(f"  {files.table}  the table, its empty cells filled")
    heading("What to type next")
    show_commands(next_commands(model, files.model))
    if report.wrong:
        note(f"{len(report.wrong)} of {report.examples} examples were taken as wrong; see above")


def tell_questions(model: ProgramModel, most: int = 3) -> None:
    """The questions of a model, if it has any."""
    from meristem.cli.display import heading
    from meristem.model.words import clean

    questions = model.questions(most)
    if questions:
        heading("Questions: answer one and add it as an example")
        for question in questions:
            for line in str(question).split("\n"):
                indent = line[: len(line) - len(line.lstrip(" "))]
                say("  " + indent + clean(line.strip()))


def question_json(model: ProgramModel, most: int = 3) -> list[dict[str, Any]]:
    """The questions of a model as JSON values."""
    from meristem.model.value_text import json_value

    return [
        {
            "inputs": {name: json_value(value) for name, value in question.inputs.items()},
            "answers": [
                {
                    "value": json_value(answer.value),
                    "failure": answer.failure,
                    "share": answer.share,
                    "chosen": answer.chosen,
                }
                for answer in question.answers
            ],
        }
        for question in model.questions(most)
    ]


def summary(model: ProgramModel, files: Files) -> dict[str, Any]:
    """What `--json` prints. Names stay as they are once released; new ones may come."""
    report = model.report()
    return {
        "model": str(files.model),
        "bytes": files.size,
        "replaced": files.replaced,
        "report": None if files.report is None else str(files.report),
        "table": None if files.table is None else str(files.table),
        "hash": model.hash,
        "kind": model.kind,
        "name": model.name,
        "inputs": {name: str(type_) for name, type_ in model.program.inputs.items()},
        "output": str(model.program.target),
        "examples": report.examples,
        "wrong": [each.number for each in report.wrong],
        "program": report.program,
        "bits": report.bits,
        "agreement": report.agreement,
        "support": report.support,
        "considered": report.considered,
        "fitting": len(report.programs),
        "questions": question_json(model),
        "ended": report.ended,
        "seconds": round(report.effort.seconds, 3),
        "seed": report.effort.seed,
        "findings": list(report.findings),
        "source": model.source(),
    }


__all__ = ["grow_program_command", "question_json", "summary", "tell_questions"]
