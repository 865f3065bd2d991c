"""A report and a program on stdout: with colours in a terminal, plain anywhere else."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from meristem.cli.session import colourful, paint, say
from meristem.model.words import clean

if TYPE_CHECKING:
    from meristem.model.report import Report, Score

_WIDEST = 120  # longer lines are harder to read


def width() -> int:
    """Columns to fill: the terminal's where there is one."""
    if not sys.stdout.isatty():
        return 100
    return max(min(shutil.get_terminal_size().columns, _WIDEST), 40)


def show_report(report: Report) -> None:
    """The report, most important first."""
    if not colourful(sys.stdout):
        say(report.text(width()).rstrip("\n"))
        return
    from rich.console import Console

    say()  # the progress, if there was any, stands right above
    sys.stdout.flush()
    Console(width=width(), highlight=False).print(report.rich())


def heading(text: str) -> None:
    """A section's title, as in the report."""
    say("\n" + (paint(text, "bold", sys.stdout) if colourful(sys.stdout) else f"{text}\n{'-' * len(text)}"))


def show_source(source: str, most: int | None = None, wrap: bool = True) -> int:
    """A program, its comments dimmed; at most so many lines. Gives the number of lines left out.

    Names from the data are in it as literals and comments; what could steer the terminal is taken out here
    too.

    Args:
        source: The program as Python.
        most: Lines to show; None shows all.
        wrap: Whether to break lines that are wider than a terminal; elsewhere they stay whole.
    """
    lines = source.rstrip("\n").split("\n")
    shown = lines if most is None or len(lines) <= most + 3 else lines[:most]
    room = width() if wrap and sys.stdout.isatty() else sys.maxsize
    for line in shown:
        body = line.lstrip(" ")
        indent = line[: len(line) - len(body)]
        comment = body.startswith("#")
        for part in _wrapped(clean(body), indent, comment, room):
            say(paint(part, "dim", sys.stdout) if comment else part)
    return len(lines) - len(shown)


def _wrapped(body: str, indent: str, comment: bool, room: int) -> list[str]:
    if len(indent) + len(body) <= room:
        return [indent + body]
    later = indent + ("# " if comment else "        ")
    return textwrap.wrap(
        body,
        room,
        initial_indent=indent,
        subsequent_indent=later,
        break_on_hyphens=False,
        break_long_words=False,
    )


def show_commands(pairs: Sequence[tuple[str, str]]) -> None:
    """Commands to type next, each after a line that says what it does."""
    for what, command in pairs:
        say(f"  {paint(f'# {what}', 'dim', sys.stdout)}")
        say(f"  {command}")


def score_json(score: Score) -> dict[str, float | None]:
    """A score and its 95 % interval as JSON values."""
    return {"value": score.score, "low": score.low, "high": score.high}
