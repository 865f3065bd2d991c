# No `from __future__ import annotations` here: Typer reads the annotations of the commands, and they name things
# that exist only inside `build`, because Typer itself is imported there and not with this file.
"""The commands and their options. What they do is in a file each, imported when it is needed."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Optional

from meristem._version import __version__
from meristem.cli.library_app import add_library
from meristem.cli.session import DEFECT, INTERRUPTED, USAGE_ERROR, Session, note, prepare_streams, silence

_EPILOG = (
    "Exit codes: 0 done, 1 the input cannot be used, 2 the command was typed wrongly, 70 a defect in Meristem, "
    "130 interrupted. Ctrl-C once ends growing early and keeps the best model so far, twice drops it."
)


def run(arguments: Sequence[str] | None, began: float) -> int:
    """Run a command and give its exit code.

    Args:
        arguments: What follows the program's name; None takes it from the command line.
        began: When the process began, in `time.monotonic()` seconds.
    """
    prepare_streams()
    session = Session(began)
    try:
        import typer
        from typer.main import get_command

        # Typer's usage errors come from the click that it uses or contains; this is their common ancestor.
        wrong_use: type[Any] = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
        command = get_command(build(session))
        try:
            code = command.main(
                None if arguments is None else list(arguments), prog_name="meristem", standalone_mode=False
            )
            sys.stdout.flush()
        except wrong_use as error:
            where = getattr(getattr(error, "ctx", None), "command_path", "meristem")
            message = error.format_message().rstrip(".")
            joint = "" if message.endswith("?") else ";"
            return session.fail(f"{message}{joint} `{where} --help` shows how", USAGE_ERROR)
        except typer.Abort:
            note("stopped")
            return INTERRUPTED
    except KeyboardInterrupt:
        note("stopped")
        return INTERRUPTED
    except BrokenPipeError:
        silence(sys.stdout)
        return 0
    except SystemExit as stop:  # of Typer, when the help's reader has gone
        silence(sys.stdout)
        return stop.code if isinstance(stop.code, int) else 0
    return code if isinstance(code, int) else DEFECT if code else 0


def build(session: Session) -> Any:
    """The Typer application whose commands run in `session`."""
    import typer

    app = typer.Typer(
        name="meristem",
        help="Grow models that are programs: from a table to a small, readable model in one command.",
        epilog=_EPILOG,
        add_completion=True,
        rich_markup_mode=None,  # plain help: a third of the time, and the same in a pipe
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )

    def version(asked: bool) -> None:
        if asked:
            sys.stdout.write(f"meristem {__version__}\n")
            raise typer.Exit()

    def debug(asked: bool) -> None:
        session.debug = session.debug or asked or bool(os.environ.get("MERISTEM_DEBUG"))

    Debug = Annotated[
        bool,
        typer.Option(
            "--debug", callback=debug, is_eager=True, help="Show where in the code an error came from."
        ),
    ]
    AsJson = Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")
    ]
    ModelFile = Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model file (.mst).", show_default=False)
    ]

    @app.callback(invoke_without_command=True)
    def start(
        context: typer.Context,
        version: Annotated[
            bool, typer.Option("--version", "-V", callback=version, is_eager=True, help="Print the version.")
        ] = False,
        debug: Debug = False,
    ) -> None:
        if context.invoked_subcommand is None:
            sys.stdout.write(context.get_help() + "\n")

    @app.command(short_help="Grow a model from a table, or a program from examples, and save it.")
    def grow(
        data: Annotated[
            Path,
            typer.Argument(
                metavar="DATA",
                help="A table: CSV, TSV (also .gz), Parquet, Arrow, Feather; or examples of a program: .json, .jsonl, "
                ".sl (SyGuS-IF), or a table with --as-program.",
                show_default=False,
            ),
        ],
        target: Annotated[
            Optional[str],  # noqa: UP045 (older Typers do not read `str | None`)
            typer.Option(
                "--target",
                "-t",
                metavar="COLUMN",
                help="The column to predict. [for a program from a table: the last column]",
                show_default=False,
            ),
        ] = None,
        budget: Annotated[
            Optional[str],  # noqa: UP045 (older Typers do not read `str | None`)
            typer.Option(
                "--budget",
                "-b",
                metavar="TIME",
                help="Time from now to the finished model, such as 60s, 5m, 1h. [default: 60s, none with --trials]",
                show_default=False,
            ),
        ] = None,
        trials: Annotated[
            Optional[int],  # noqa: UP045
            typer.Option(
                metavar="N", help="Most candidates to try. Without --budget the result then repeats exactly."
            ),
        ] = None,
        metric: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(
                metavar="NAME",
                help="What counts as good: log_loss, brier, auc, accuracy, balanced_accuracy, f1 for classes; rmse, "
                "mse, mae, rmsle, r2 for numbers. [default: log_loss or rmse]",
                show_default=False,
            ),
        ] = None,
        out: Annotated[
            Optional[Path],  # noqa: UP045
            typer.Option(
                "--out",
                "-o",
                metavar="FILE",
                help="Where the model goes. [default: the table's name with .mst, here]",
                show_default=False,
            ),
        ] = None,
        report: Annotated[
            Optional[Path],  # noqa: UP045
            typer.Option(metavar="FILE", help="Also write the report as one HTML page.", show_default=False),
        ] = None,
        seed: Annotated[int, typer.Option(metavar="N", help="Source of all randomness.")] = 0,
        time_column: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(
                metavar="COLUMN",
                help="Rows are sorted by it, and the model is judged on later rows than it learned from.",
            ),
        ] = None,
        group_column: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(
                metavar="COLUMN",
                help="Rows with the same value belong together (one patient); it is judged on other groups.",
            ),
        ] = None,
        weight_column: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(metavar="COLUMN", help="How much each row counts."),
        ] = None,
        max_size: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(metavar="SIZE", help="Most bytes of the model file, such as 100kB."),
        ] = None,
        cores: Annotated[
            Optional[int],  # noqa: UP045
            typer.Option(
                metavar="N",
                help="Worker processes; 0 works in this one. [default: the machine's, at most 8]",
                show_default=False,
            ),
        ] = None,
        memory: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(
                metavar="SIZE",
                help="Memory for all processes, such as 8GB. [default: 80 % of the machine's]",
                show_default=False,
            ),
        ] = None,
        as_program: Annotated[
            bool,
            typer.Option(
                "--as-program",
                help="Rows are examples: find the exact program from the other columns to the target. Rows without an "
                "answer help to choose, and --out-table fills them.",
            ),
        ] = False,
        sketch: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(
                metavar="TEXT",
                help="A program to try first; from examples it may have holes: 'take(sort(?), ?)'.",
                show_default=False,
            ),
        ] = None,
        wrong: Annotated[
            float, typer.Option(metavar="SHARE", help="Share of examples that may be wrong, such as 0.1.")
        ] = 0.0,
        types: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(
                metavar="TEXT",
                help="Types of a program where the examples do not tell: 'list[int], int -> text'.",
                show_default=False,
            ),
        ] = None,
        further: Annotated[
            Optional[Path],  # noqa: UP045
            typer.Option(
                metavar="FILE", help="Inputs without answers, to choose among programs.", show_default=False
            ),
        ] = None,
        name: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(
                metavar="NAME", help="The program's name. [default: the file's]", show_default=False
            ),
        ] = None,
        out_table: Annotated[
            Optional[Path],  # noqa: UP045
            typer.Option(
                metavar="FILE",
                help="With --as-program: also write the table with the empty cells of the target filled.",
                show_default=False,
            ),
        ] = None,
        library: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(
                "--library",
                "-L",
                metavar="DIR",
                help="Try what a library knows, and keep the model there; `default` is your own.",
                show_default=False,
            ),
        ] = None,
        as_json: AsJson = False,
        quiet: Annotated[
            bool, typer.Option("--quiet", "-q", help="No progress, and one line at the end.")
        ] = False,
        debug: Debug = False,
    ) -> int:
        """Grow a model that predicts a column of a table, or a program from examples, and save it as a small file."""
        from meristem.cli.grow import GrowOptions, grow_command

        options = GrowOptions(
            data=data,
            target=target,
            budget=budget,
            trials=trials,
            metric=metric,
            out=out,
            report=report,
            seed=seed,
            time_column=time_column,
            group_column=group_column,
            weight_column=weight_column,
            max_size=max_size,
            cores=cores,
            memory=memory,
            as_program=as_program,
            sketch=sketch,
            wrong=wrong,
            types=types,
            further=further,
            name=name,
            out_table=out_table,
            library=library,
            as_json=as_json,
            quiet=quiet,
        )
        session.as_json = as_json
        return session.run(lambda: grow_command(session, options))

    @app.command(short_help="Predict the rows of a table.")
    def predict(
        model: ModelFile,
        data: Annotated[
            Path,
            typer.Argument(
                metavar="DATA", help="A table with the columns the model reads.", show_default=False
            ),
        ],
        out: Annotated[
            str,
            typer.Option(
                "--out",
                "-o",
                metavar="FILE",
                help="Where the predictions go, a row for each row of the table: .csv, .tsv (also .gz), .parquet, "
                ".arrow, .jsonl; - is stdout, as CSV.",
            ),
        ] = "-",
        proba: Annotated[
            bool,
            typer.Option(
                "--proba/--no-proba",
                help="Also write the probability of each class, or for numbers the bounds that hold 90 % of answers.",
            ),
        ] = True,
        keep: Annotated[
            Optional[list[str]],  # noqa: UP045
            typer.Option(
                "--keep", "-k", metavar="COLUMN", help="Carry a column of the table over; may be repeated."
            ),
        ] = None,
        fill: Annotated[
            bool,
            typer.Option(
                "--fill",
                help="For a program: write the whole table, the empty cells of the answer's column filled.",
            ),
        ] = False,
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No closing line.")] = False,
        debug: Debug = False,
    ) -> int:
        """Predict the rows of a table."""
        from meristem.cli.predict import predict_command

        return session.run(lambda: predict_command(model, data, out, proba, keep or [], quiet, fill))

    @app.command(short_help="Measure a model on a table with answers.")
    def score(
        model: ModelFile,
        data: Annotated[
            Path,
            typer.Argument(
                metavar="DATA",
                help="A table with the right answers, not the one it grew from.",
                show_default=False,
            ),
        ],
        as_json: AsJson = False,
        debug: Debug = False,
    ) -> int:
        """Measure how good a model is on a table with answers, with 95 % intervals."""
        from meristem.cli.score import score_command

        return session.run(lambda: score_command(model, data, as_json))

    @app.command(short_help="Show what a model is and how it was found.")
    def show(
        model: ModelFile,
        source: Annotated[bool, typer.Option("--source", help="Only the program, as Python.")] = False,
        html: Annotated[
            Optional[Path],  # noqa: UP045
            typer.Option(metavar="FILE", help="Write the report as one HTML page instead."),
        ] = None,
        svg: Annotated[
            Optional[Path],  # noqa: UP045
            typer.Option(metavar="FILE", help="Write the picture of the program instead."),
        ] = None,
        as_json: AsJson = False,
        debug: Debug = False,
    ) -> int:
        """Show what a model is: its score, its program, what it learned, and how it was found."""
        from meristem.cli.show import show_command

        return session.run(lambda: show_command(model, source, html, svg, as_json))

    add_library(app, session, debug)
    return app
