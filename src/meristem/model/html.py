"""The report as one HTML page: everything in it, nothing from elsewhere, no script, light and dark."""

from __future__ import annotations

from html import escape

from meristem.model import charts, sentences
from meristem.model._style import STYLE
from meristem.model.report import Candidate, Report
from meristem.model.words import clean, count, duration, number, numbers_alike, percent

_MOST_ROWS = 300
_FIRST_ROWS = 10

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(report: Report, picture: str = "", source: str = "", title: str = "") -> str:
    """The page. `picture` is an SVG of ours and goes in as it is; all other text is escaped."""
    facts = report.facts
    name = clean(title, 120) or f"{clean(facts.target, 60)} from {clean(facts.name, 80)}"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(name)}</title>",
        f"<style>{STYLE}</style></head><body><main>",
        f'<p class="over">Meristem report, {escape(sentences.facts_line(report))}</p>',
        f"<h1>{escape(name)}</h1>",
        _hero(report),
        _findings(report),
        _program(report, picture, source),
        '<div class="pair">',
        _importance(report),
        _calibration(report),
        _curve(report),
        _timeline(report),
        "</div>",
        _tried(report),
        _next(report),
        _footer(report),
        "</main></body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def summary(report: Report, *, picture: str = "", size: str = "") -> str:
    """HTML for a notebook: score, verdict, what it looks at, what was tried. No style sheet, no script.

    Args:
        report: What to show.
        picture: The SVG of the program; it goes in as it is, between the score and the rest.
        size: What the model consists of, in words.
    """
    _, words = sentences.verdict(report)
    name = f"{clean(report.facts.target, 60)} from {clean(report.facts.name, 80)}"
    rows = [
        ("data", sentences.facts_line(report)),
        ("looks at", sentences.importance_words(report)),
        ("sure?", "" if report.calibration is None else sentences.calibration_words(report.calibration)),
        ("more data?", sentences.curve_words(report)),
        ("search", sentences.tried(report)),
        ("size", size),
    ]
    cells = "".join(
        f"<tr><td><strong>{escape(name)}</strong></td><td>{_words(text)}</td></tr>"
        for name, text in rows
        if text
    )
    return (
        f"<div><p><strong>{escape(name)}</strong>: {_words(sentences.score_line(report))}. {_words(words)}</p>"
        f"{picture}<table><tbody>{cells}</tbody></table></div>"
    )


def _card(title: str, *inner: str) -> str:
    body = "\n".join(part for part in inner if part)
    return f'<section class="card"><h2>{escape(title)}</h2>\n{body}\n</section>'


def _paragraph(words: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f"<p{style}>{_words(words)}</p>" if words else ""


def _words(text: str) -> str:
    """Prose, escaped, with no line break before a per cent sign."""
    return escape(text).replace(" %", "&nbsp;%")


def _hero(report: Report) -> str:
    facts, best = report.facts, report.best
    level, words = sentences.verdict(report)
    metric = sentences.metric_name(facts.metric)
    if best.low is not None and best.high is not None:
        value, low, high = numbers_alike(best.score, best.low, best.high)
        interval = _paragraph(f"On rows it had not seen. 95 % interval: {low} to {high}.", "dim")
    else:
        value = number(best.score)
        why = sentences.left_out(report, "interval")
        interval = _paragraph(" ".join(filter(None, ["On rows it had not seen.", why])), "dim")
    sign = {"good": "✓", "unsure": "≈", "bad": "✗"}[level]
    answers = [("What does it look at?", sentences.importance_words(report))]
    if report.calibration is not None:
        answers.append(("How sure can I be?", sentences.calibration_words(report.calibration)))
    answers.append(("Would more data help?", sentences.curve_words(report)))
    answers.append(("Was there time enough?", sentences.left_out(report, "training")))
    listed = "".join(f"<dt>{escape(q)}</dt><dd>{_words(a)}</dd>" for q, a in answers if a)
    return (
        '<section class="card"><div class="hero"><div>'
        f'<div class="score">{escape(value)} <small>{escape(metric)}</small></div>{interval}</div>'
        f"<div>{charts.score_chart(report)}</div></div>"
        f'<p class="verdict {level}"><span aria-hidden="true">{sign}</span> {_words(words)}</p>'
        + (f'<dl class="asked">{listed}</dl>' if listed else "")
        + "</section>"
    )


def _findings(report: Report) -> str:
    facts = report.facts
    items = "".join(f"<li>{escape(clean(finding, 600))}</li>" for finding in facts.findings[:200])
    classes = ""
    if facts.classes:
        total = sum(max(c.count, 0) for c in facts.classes) or 1
        most = sorted(facts.classes, key=lambda c: -c.count)
        shares = [f"{clean(c.label, 40)}: {percent(c.count / total)}" for c in most[:8]]
        if len(most) > 8:
            shares.append(f"{len(most) - 8} more")
        classes = _paragraph(f"Classes: {', '.join(shares)}.")
    if not items and not classes:
        return ""
    return _card("About the data", classes, f"<ul>{items}</ul>" if items else "")


def _program(report: Report, picture: str, source: str) -> str:
    drawn = f'<div class="scroll">{picture}</div>' if picture else ""
    code = (
        f"<details{'' if picture else ' open'}><summary>The program as text</summary>"
        f"<pre><code>{escape(_lines(source))}</code></pre></details>"
        if source
        else ""
    )
    members = ""
    if len(report.members) > 1:
        total = sum(m.weight for m in report.members) or 1.0
        rows = "".join(
            f'<tr><td class="n">{percent(m.weight / total)}</td>'
            f'<td class="n">{_score(report, m.loss)}</td><td>{_code(m.text)}</td></tr>'
            for m in sorted(report.members, key=lambda m: -m.weight)[:_MOST_ROWS]
        )
        metric = escape(sentences.metric_name(report.facts.metric))
        members = (
            f"<details><summary>Its {len(report.members)} parts</summary>"
            '<div class="scroll"><table><thead><tr>'
            f'<th class="n">weight</th><th class="n">{metric} alone</th><th>program</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></div></details>"
        )
    if not drawn and not code and not members:
        return ""
    return _card("The program", _paragraph(sentences.members_words(report)), drawn, code, members)


def _lines(source: str) -> str:
    """Program text with its line breaks, each line made safe to show."""
    return "\n".join(clean(line.replace("\t", "    ")) for line in source.splitlines())


def _importance(report: Report) -> str:
    if not report.importance:
        return ""
    verb = "falls" if report.facts.greater_is_better else "rises"
    metric = sentences.the_metric(report.facts.metric)
    left_out = len(report.importance) - 15
    intervals = ", with 95 % intervals" if any(i.low is not None for i in report.importance) else ""
    return _card(
        "What it looks at",
        _paragraph(f"How much {metric} {verb} when one column is shuffled{intervals}.", "dim"),
        charts.importance_chart(report),
        _paragraph(f"{count(left_out, 'more column')} not shown.", "dim") if left_out > 0 else "",
        _paragraph(sentences.IMPORTANCE_CAVEAT, "dim"),
    )


def _calibration(report: Report) -> str:
    calibration = report.calibration
    if calibration is None or not (calibration.bins or calibration.coverage):
        return ""
    title = "Can its probabilities be trusted?" if calibration.bins else "Do its intervals hold?"
    return _card(
        title, _paragraph(sentences.calibration_words(calibration)), charts.calibration_chart(calibration)
    )


def _curve(report: Report) -> str:
    curve = report.curve
    if curve is None or not curve.points:
        return ""
    metric = sentences.the_metric(report.facts.metric)
    note = f"This is {metric} of a quick model after learning from fewer rows; bars are standard errors."
    return _card(
        "Would more data help?",
        _paragraph(sentences.curve_words(report)),
        charts.curve_chart(report, curve),
        _paragraph(note, "dim"),
    )


def _timeline(report: Report) -> str:
    chart = charts.timeline_chart(report) if report.candidates else ""
    return _card("How the search went", _paragraph(sentences.tried(report)), chart) if chart else ""


def _tried(report: Report) -> str:
    if not report.candidates:
        return ""
    ordered = sorted(
        report.candidates, key=lambda c: (c.loss is None, c.loss if c.loss is not None else 0.0, c.number)
    )
    scored = [c for c in ordered if c.loss is not None]
    lost = [c for c in ordered if c.loss is None]
    metric = escape(sentences.metric_name(report.facts.metric))
    inner = []
    if scored:
        head = f'<tr><th class="n">{metric}</th><th class="n">time</th><th>from</th><th>program</th></tr>'
        inner.append(_table(head, [_scored_row(report, c) for c in scored], "candidate"))
    if lost:
        head = '<tr><th>ended</th><th class="n">time</th><th>from</th><th>program and reason</th></tr>'
        inner.append(f"<h3>Without a score</h3>{_table(head, [_lost_row(c) for c in lost], 'candidate')}")
    return _card("What was tried", *inner)


def _table(head: str, rows: list[str], noun: str) -> str:
    """A table; beyond the first rows the rest folds away, beyond many it is left out and counted."""

    def table(body: list[str]) -> str:
        return f'<div class="scroll"><table><thead>{head}</thead><tbody>{"".join(body)}</tbody></table></div>'

    if len(rows) <= _FIRST_ROWS + 3:
        return table(rows)
    rest = rows[_FIRST_ROWS:_MOST_ROWS]
    left_out = len(rows) - _MOST_ROWS
    more = _paragraph(f"{count(left_out, noun)} not shown.", "dim") if left_out > 0 else ""
    words = count(len(rest), "more " + noun)
    return f"{table(rows[:_FIRST_ROWS])}<details><summary>{words}</summary>{table(rest)}{more}</details>"


def _scored_row(report: Report, c: Candidate) -> str:
    return (
        f'<tr><td class="n">{_score(report, c.loss)}</td><td class="n">{_time(c)}</td>'
        f'<td class="w">{escape(clean(c.origin, 24))}</td><td>{_code(c.text)}{_reason(c)}</td></tr>'
    )


def _reason(c: Candidate) -> str:
    return f"<br>{escape(clean(c.reason, 300))}" if c.reason else ""


def _lost_row(c: Candidate) -> str:
    return (
        f'<tr><td class="w">{escape(sentences.outcome_name(c.outcome))}</td><td class="n">{_time(c)}</td>'
        f'<td class="w">{escape(clean(c.origin, 24))}</td><td>{_code(c.text)}{_reason(c)}</td></tr>'
    )


def _score(report: Report, loss: float | None) -> str:
    return escape(number(sentences.shown(report, loss)))


def _code(text: str) -> str:
    return f"<code>{escape(clean(text, 400))}</code>"


def _time(c: Candidate) -> str:
    return escape(duration(max(c.seconds, 0.0)))


def _next(report: Report) -> str:
    files = "".join(f"<li>{escape(clean(f, 400))}</li>" for f in report.files[:50])
    steps = "".join(f"<li>{escape(clean(n, 400))}</li>" for n in report.next[:50])
    return _card("How to go on", f"<ul>{files}{steps}</ul>") if files or steps else ""


def _footer(report: Report) -> str:
    effort = report.effort
    parts = [f"seed {effort.seed}", count(effort.workers, "worker")]
    if effort.budget_seconds is not None:
        parts.append(f"budget {duration(effort.budget_seconds)}")
    if effort.budget_trials is not None:
        parts.append(f"budget {count(effort.budget_trials, 'trial')}")
    parts.append(f"used {duration(effort.seconds)}")
    parts += [f"{clean(n, 40)} {clean(v, 40)}" for n, v in sorted(effort.versions.items())[:40]]
    again = "The same seed, budget in trials, versions and machine give the same model."
    return f"<footer>Grown with {escape(', '.join(parts))}. {again}</footer>"
