"""`meristem show` for programs from examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meristem.cli.grow_program import question_json, tell_questions
from meristem.cli.session import note, say

if TYPE_CHECKING:
    from meristem.model import ProgramModel


def show_program(
    model: ProgramModel, path: Path, source: bool, html: Path | None, svg: Path | None, as_json: bool
) -> None:
    """Print a program from examples, or write its page or its picture.

    Raises:
        InputError: The place for a file cannot be used.
    """
    from meristem.model.file import write_whole

    if html is not None:
        from meristem.model.program_page import page

        write_whole(html, page(model).encode())
        note(f"the report is in {html}")
    if svg is not None:
        write_whole(svg, model.picture().encode())
        note(f"the picture is in {svg}")
    if as_json:
        say(json.dumps(as_plain(model, path), allow_nan=False))
    elif source:
        # As it is, so that what is written to a file runs: names from data stand in it as literals only.
        say(model.source().rstrip("\n"))
    elif html is None and svg is None:
        _tell(model, path)


def as_plain(model: ProgramModel, path: Path) -> dict[str, Any]:
    """A program as plain JSON values: what `--json` prints."""
    return {
        "model": str(path),
        "bytes": path.stat().st_size,
        "hash": model.hash,
        "kind": model.kind,
        "name": model.name,
        "inputs": {name: str(type_) for name, type_ in model.program.inputs.items()},
        "output": {"name": model.output, "type": str(model.program.target)},
        "source": model.source(),
        "explanation": model.explain().split("\n") if len(model.answers) else [],
        "questions": question_json(model, 10),
        "report": dict(model.record),
    }


def _tell(model: ProgramModel, path: Path) -> None:
    from meristem.cli.display import heading, show_source, width
    from meristem.model.words import byte_size, clean

    say(model.report().text(width()).rstrip("\n"))
    heading("The program")
    show_source(model.short_source())
    if len(model.answers):
        heading("What it does with the first example")
        for line in model.explain().split("\n"):
            say(f"  {clean(line)}")
    tell_questions(model)
    say()
    say(f"{path}: {byte_size(path.stat().st_size)}, {model.hash[:12]}; the examples are in it")


__all__ = ["as_plain", "show_program"]
