"""A program from examples as one HTML page: everything in it, nothing from elsewhere, no script."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from meristem.model._style import STYLE
from meristem.model.html import _POLICY
from meristem.model.perception_report import PerceptionReport
from meristem.model.seen import seen_examples
from meristem.model.seen_picture import seen_picture
from meristem.model.words import clean, count, number, percent

if TYPE_CHECKING:
    from meristem.model.program_model import ProgramModel

_MOST_PROGRAMS = 20
_MOST_QUESTIONS = 5


def page(model: ProgramModel) -> str:
    """The page: what the program is, what it does with an example, how sure it is, what else fits."""
    report = model.report()
    name = clean(model.name, 120)
    types = ", ".join(f"{clean(n, 40)}: {clean(t, 60)}" for n, t in report.types.items())
    over = f"Meristem program from {count(report.examples, 'example')}: {types} -> {clean(report.output, 60)}"
    notes = "".join(f"<p>Note: {escape(clean(text, 600))}</p>" for text in (*report.findings, *report.notes))
    saw = seen_picture(seen_examples(model), "What it saw")
    policy = f"{_POLICY}; img-src data:" if saw else _POLICY
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(name)}</title>",
        f"<style>{STYLE}</style></head><body><main>",
        f'<p class="over">{escape(over)}</p>',
        f"<h1>{escape(name)}</h1>",
        _card("Is it right?", f"<p>{escape(report.verdict())}</p>{notes}"),
        _card("The program", f"{model.picture()}<pre>{_lines(model.short_source())}</pre>"),
        _card("What it saw, and what it made of it", saw),
        _card(
            "What it does with the first example",
            f"<pre>{_lines(model.explain())}</pre>" if len(model.answers) else "",
        ),
        _card("Questions", _questions(model)),
        _card("Examples taken as wrong", _wrong(model)),
        _card("Programs that were compared", _compared(report))
        if isinstance(report, PerceptionReport)
        else _card("Programs that fit", _programs(model)),
        _card(
            "As Python that stands alone", "" if model.program.fit else f"<pre>{_lines(model.source())}</pre>"
        ),
        "</main></body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _card(title: str, inner: str) -> str:
    return f'<section class="card"><h2>{escape(title)}</h2>\n{inner}\n</section>' if inner else ""


def _lines(text: str) -> str:
    """Text of several lines, made safe and escaped; blanks at the start of a line stay."""
    made = []
    for line in text.rstrip("\n").split("\n"):
        body = line.lstrip(" ")
        made.append(" " * (len(line) - len(body)) + escape(clean(body)))
    return "\n".join(made)


def _questions(model: ProgramModel) -> str:
    found = model.questions(_MOST_QUESTIONS)
    if not found:
        return ""
    said = "".join(f"<pre>{_lines(str(question))}</pre>" for question in found)
    return f"<p>Programs that fit differ here. Answer one and add it as an example.</p>{said}"


def _wrong(model: ProgramModel) -> str:
    rows = "".join(
        f"<tr><td>{each.number}</td><td>{escape(clean(each.inputs, 200))}</td>"
        f"<td>{escape(clean(each.wanted, 100))}</td><td>{escape(clean(each.got, 100))}</td></tr>"
        for each in model.report().wrong[:_MOST_PROGRAMS]
    )
    head = "<thead><tr><th>example</th><th>input</th><th>answer</th><th>the program gives</th></tr></thead>"
    return f"<table>{head}<tbody>{rows}</tbody></table>" if rows else ""


def _programs(model: ProgramModel) -> str:
    report = model.report()
    rows = []
    for each in report.programs[:_MOST_PROGRAMS]:
        agrees = "" if each.agrees is None else percent(each.agrees)
        rows.append(
            f"<tr><td>{number(each.bits, 4)}</td><td>{percent(each.share)}</td><td>{agrees}</td>"
            f"<td><code>{escape(clean(each.text, 400))}</code></td></tr>"
        )
    head = "<thead><tr><th>bits</th><th>share</th><th>agrees</th><th>program</th></tr></thead>"
    return f"<p>{escape(report.tried())}</p><table>{head}<tbody>{''.join(rows)}</tbody></table>"


def _compared(report: PerceptionReport) -> str:
    """The programs that readers were trained in or held against what a reader sees, and what labels leave open."""
    rows = []
    for each in report.tried_programs[:_MOST_PROGRAMS]:
        held = "" if each.accuracy is None else percent(each.accuracy)
        loss = "" if each.loss is None else f"{number(each.loss, 3)} after {each.steps:,} steps"
        gap = "" if each.gap is None else number(each.gap, 3)
        rows.append(
            f"<tr><td>{held}</td><td>{loss}</td><td>{gap}</td>"
            f"<td><code>{escape(clean(each.text, 400))}</code></td></tr>"
        )
    if not rows:
        return ""
    head = "<thead><tr><th>held-out</th><th>loss</th><th>gap before</th><th>program</th></tr></thead>"
    ties = "".join(
        f"<li><code>{escape(clean(tie.text, 200))}</code>: {escape(clean(tie.reason, 120))}</li>"
        for tie in report.ties[:_MOST_PROGRAMS]
    )
    open_ = f"<p>Not told apart by the labels:</p><ul>{ties}</ul>" if ties else ""
    return f"<table>{head}<tbody>{''.join(rows)}</tbody></table>{open_}"


__all__ = ["page"]
