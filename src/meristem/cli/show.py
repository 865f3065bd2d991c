"""`meristem show`: what a model is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meristem.cli.places import check_place
from meristem.cli.session import say
from meristem.errors import InputError

if TYPE_CHECKING:
    from meristem.model import Model


def show_command(path: Path, source: bool, html: Path | None, svg: Path | None, as_json: bool) -> None:
    """Print a model, or write its page or its picture.

    Raises:
        InputError: The model or the place for a file cannot be used.
        FileFormatError: The file is damaged, or no model.
    """
    for place, option in ((html, "--html"), (svg, "--svg")):
        if place is not None:
            check_place(place, option, (path,))
    if html is not None and svg is not None and html == svg:
        raise InputError("--html and --svg: expected two files, got one name for both")
    from meristem.model import ProgramModel, load

    model = load(path)
    if isinstance(model, ProgramModel):
        from meristem.cli.show_program import show_program

        show_program(model, path, source, html, svg, as_json)
        return
    if html is not None or svg is not None:
        _write(model, path, html, svg)
        if not (source or as_json):
            return
    if as_json:
        say(json.dumps(as_plain(model, path), allow_nan=False))
    elif source:
        from meristem.cli.display import show_source

        show_source(model.source(), wrap=False)
    else:
        _tell(model, path)


def _write(model: Model, path: Path, html: Path | None, svg: Path | None) -> None:
    from meristem.cli.grow import next_commands, page
    from meristem.cli.session import note
    from meristem.model.file import write_whole

    if html is not None:
        write_whole(html, page(model, next_commands(path, model.schema.target.name)).encode())
        note(f"the report is in {html}")
    if svg is not None:
        write_whole(svg, model.picture().encode())
        note(f"the picture is in {svg}")


def as_plain(model: Model, path: Path) -> dict[str, Any]:
    """A model as plain JSON values: what `--json` prints."""
    schema = model.schema
    return {
        "model": str(path),
        "bytes": path.stat().st_size,
        "hash": model.hash,
        "kind": model.kind,
        "target": schema.target.name,
        "classes": list(schema.target.values),
        "features": [{"name": f.name, "kind": f.kind} for f in schema.features],
        "dropped": [{"name": d.name, "reason": d.reason} for d in schema.dropped],
        "source": model.source(),
        "modules": [{"kind": node.kind, "learned": lines} for node, lines in model.program.modules()],
        "report": dict(model.record),
    }


def _tell(model: Model, path: Path) -> None:
    from meristem.cli.display import heading, show_report, show_source
    from meristem.model.words import byte_size, clean, count, joined

    show_report(model.report())
    heading("The program")
    show_source(model.source())
    heading("What it reads")
    kinds: dict[str, list[str]] = {}
    for feature in model.schema.features:
        kinds.setdefault(feature.kind, []).append(clean(feature.name, 40))
    words = {"real": "number", "bool": "yes or no", "class": "category", "datetime": "date", "text": "text"}
    for kind, names in kinds.items():
        more = f" and {len(names) - 12:,} more" if len(names) > 12 else ""
        say(f"  {words.get(kind, kind) + ':':<12}{', '.join(names[:12])}{more}")
    if model.schema.dropped:
        dropped = [clean(d.name, 40) for d in model.schema.dropped]
        others = [count(len(dropped) - 8, "other")] if len(dropped) > 8 else []
        say(f"  {'not read:':<12}{joined([*dropped[:8], *others])}")
    say()
    say(f"{path}: {byte_size(path.stat().st_size)}, {model.hash[:12]}")
