"""A report in sections, for people who read in a terminal or in plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meristem.model import sentences
from meristem.model.report import Report
from meristem.model.sentences import shown
from meristem.model.words import clean, count, duration, numbers_alike, percent

if TYPE_CHECKING:
    from rich.console import RenderableType

_MOST_BARS = 12
_MOST_CANDIDATES = 8
_COLUMN = 28


@dataclass
class Section:
    """A heading with sentences, bars and a table; what is empty is left out.

    Args:
        bars: (name, value as text, share of the longest bar in 0 to 1).
        header, rows: A table; all but the last column are as wide as they need.
        level: `good`, `unsure`, `bad`: how the first sentence is coloured.
    """

    title: str
    sentences: list[str] = field(default_factory=list)
    bars: list[tuple[str, str, float]] = field(default_factory=list)
    header: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    level: str = ""


def sections(report: Report) -> Iterator[Section]:
    """The report's content, most important first."""
    facts = report.facts
    level, words = sentences.verdict(report)
    yield Section(
        f"{clean(facts.target, 60)} from {clean(facts.name, 80)}",
        list(
            filter(
                None,
                [
                    sentences.score_line(report) + ".",
                    words,
                    sentences.left_out(report, "training"),
                    sentences.left_out(report, "interval"),
                    sentences.facts_line(report) + ".",
                ],
            )
        ),
        level=level,
    )
    if facts.findings:
        yield Section("About the data", [clean(finding, 400) for finding in facts.findings])
    if report.importance:
        yield _importance(report)
    elif words := sentences.importance_words(report):
        yield Section("What it looks at", [words])
    if report.calibration is not None and (words := sentences.calibration_words(report.calibration)):
        name = (
            "Can its probabilities be trusted?" if report.calibration.error is not None else "How sure is it?"
        )
        yield Section(name, [words])
    if words := sentences.curve_words(report):
        yield Section("Would more data help?", [words])
    if report.members:
        yield _members(report)
    if report.candidates:
        yield _candidates(report)
    if report.files or report.next:
        lines = [clean(f, 300) for f in report.files] + [clean(n, 300) for n in report.next]
        yield Section("How to go on", lines)


def _importance(report: Report) -> Section:
    items = sorted(report.importance, key=lambda i: -i.mean)
    first = items[:_MOST_BARS]
    longest = max(max(i.mean for i in first), 0.0) or 1.0
    texts = numbers_alike(*(i.mean for i in first), digits=2)
    bars = [
        (clean(i.column, _COLUMN), text, min(max(i.mean, 0.0) / longest, 1.0))
        for i, text in zip(first, texts, strict=True)
    ]
    words = [sentences.importance_words(report)]
    if len(items) > len(first):
        words.append(f"The {len(first)} that matter most, of {count(len(items), 'column')}:")
    return Section("What it looks at", words, bars)


def _members(report: Report) -> Section:
    total = sum(m.weight for m in report.members) or 1.0
    ordered = sorted(report.members, key=lambda m: -m.weight)
    losses = numbers_alike(*(shown(report, m.loss) for m in ordered))
    rows: list[tuple[str, ...]] = [
        (percent(m.weight / total), loss, clean(m.text, 300)) for m, loss in zip(ordered, losses, strict=True)
    ]
    words = sentences.members_words(report)
    metric = sentences.metric_name(report.facts.metric)
    return Section(
        "What it is made of", [words] if words else [], header=("weight", metric, "program"), rows=rows
    )


def _candidates(report: Report) -> Section:
    scored = sorted((c for c in report.candidates if c.loss is not None), key=lambda c: (c.loss, c.number))
    failed = [c for c in report.candidates if c.loss is None]
    best = scored[:_MOST_CANDIDATES]
    scores = numbers_alike(*(shown(report, c.loss) for c in best))
    rows: list[tuple[str, ...]] = [
        (score, duration(max(c.seconds, 0.0)), clean(c.origin, 12), clean(c.text, 300))
        for c, score in zip(best, scores, strict=True)
    ]
    metric = sentences.metric_name(report.facts.metric)
    words = [sentences.tried(report)]
    reasons: dict[str, int] = {}
    for c in failed:
        reason = clean(c.reason, 120)
        if reason and c.outcome != "stopped":
            reasons[reason] = reasons.get(reason, 0) + 1
    for reason in sorted(reasons, key=lambda r: (-reasons[r], r))[:3]:
        words.append(f"{reasons[reason]} x {reason}")
    return Section("What was tried", words, header=(metric, "time", "from", "program"), rows=rows)


# ---------------------------------------------------------------------------------------------- plain text


def plain_text(report: Report, width: int) -> str:
    """The report as text of at most `width` columns (at least 40)."""
    width = max(width, 40)
    lines: list[str] = []
    for k, section in enumerate(sections(report)):
        title = clean(section.title, width)
        lines += [*([""] if k else []), title, ("=" if k == 0 else "-") * len(title)]
        for sentence in section.sentences:
            lines += textwrap.wrap(sentence, width, break_on_hyphens=False) or [""]
        lines += _plain_bars(section, width)
        lines += _plain_table(section, width)
    return "\n".join(lines) + "\n"


def _plain_bars(section: Section, width: int) -> Iterator[str]:
    if not section.bars:
        return
    names = max(len(name) for name, _, _ in section.bars)
    values = max(len(value) for _, value, _ in section.bars)
    room = max(min(width - names - values - 6, 40), 0)
    for name, value, share in section.bars:
        yield f"  {name:<{names}}  {value:>{values}}  {'#' * round(room * share)}".rstrip()


def _plain_table(section: Section, width: int) -> Iterator[str]:
    if not section.rows:
        return
    table = [section.header, *section.rows]
    widths = [max(len(row[k]) for row in table) for k in range(len(section.header) - 1)]
    for row in table:
        line = "  " + "  ".join(f"{cell:>{w}}" for cell, w in zip(row[:-1], widths, strict=True))
        room = max(width - len(line) - 2, 8)
        yield f"{line}  {clean(row[-1], room)}".rstrip()


# ---------------------------------------------------------------------------------------------- terminal


def rich_group(report: Report) -> RenderableType:
    """The report as a Rich renderable. Foreign text goes in as `Text`, never as markup."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    colours = {"good": "green", "unsure": "yellow", "bad": "red"}
    parts: list[RenderableType] = []
    for k, section in enumerate(sections(report)):
        parts.append(Text(("\n" if k else "") + section.title, style="bold" if k else "bold underline"))
        for place, sentence in enumerate(section.sentences):
            style = (
                colours[section.level]
                if section.level and place == 1
                else "bold"
                if section.level and not place
                else ""
            )
            parts.append(Text(sentence, style=style))
        if section.bars:
            bars = Table.grid(padding=(0, 1))
            for name, value, share in section.bars:
                bar = Text("█" * round(30 * share) or "▏", style="#c9791d")
                bars.add_row(Text(name), Text(value, justify="right"), bar)
            parts.append(Padding(bars, (0, 0, 0, 2)))
        if section.rows:
            # The last column takes the room that is left; without a ratio Rich takes it from the numbers.
            table = Table(box=None, padding=(0, 1), header_style="dim", expand=True)
            for name in section.header[:-1]:
                table.add_column(name, justify="right", no_wrap=True)
            table.add_column(section.header[-1], overflow="ellipsis", no_wrap=True, ratio=1)
            for row in section.rows:
                table.add_row(*(Text(cell) for cell in row))
            parts.append(table)
    return Group(*parts)
