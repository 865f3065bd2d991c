"""Charts as inline SVG for the report's page. They take their colours from the page and run nothing.

Every function survives any finite numbers: a report may come from a stranger's file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise

from meristem.model.report import Calibration, Curve, Report
from meristem.model.sentences import matters, metric_name, outcome_name, shown
from meristem.model.words import clean, count, fit, number, numbers_alike, percent, width

_W = 520.0
_MOST_POINTS = 500

Scale = Callable[[float], float]


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that cover `low` to `high`, steps of 1, 2 or 5 times a power of ten.

    >>> ticks(0, 1.05)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = high - low
    if not (math.isfinite(span) and span > 1e-290):
        return [low]
    raw = span / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.7), power)
    first = math.ceil(low / step - 1e-9)
    found = [round(k * step, 12) for k in range(first, first + 4 * about) if k * step <= high + 1e-9 * span]
    return found or [low]


def tick_labels(values: Sequence[float]) -> list[str]:
    """Labels with as many decimals as the step between the ticks has.

    >>> tick_labels([0.98, 0.985, 0.99])
    ['0.980', '0.985', '0.990']
    """
    steps = [abs(b - a) for a, b in pairwise(values)]
    step = min(steps, default=0.0)
    if not 1e-6 < step < 1e9 or max(map(abs, values)) > 1e12:
        return [number(v) for v in values]
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    if any(abs(round(v, places) - v) > 1e-3 * step for v in values):
        places += 1
    return [f"{v + 0.0:,.{places}f}" for v in values]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten and, where there are few, their 2 and 5 fold, within positive `low` to `high`."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    tens = [10.0**p for p in powers if low <= 10.0**p <= high]
    if len(tens) >= 3:
        return tens[:: max(len(tens) // 6, 1)]
    fine = [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high]
    return fine or [low, high]


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    """Map low..high to start..end; what lies outside goes to the edge."""
    span = high - low

    def scale(value: float) -> float:
        share = (value - low) / span if span > 0 else 0.5
        return start + (end - start) * min(max(share, 0.0), 1.0)

    return scale


def _log(low: float, high: float, start: float, end: float) -> Scale:
    inner = _linear(math.log(low), math.log(high), start, end)
    return lambda value: inner(math.log(value) if value > 0 else -1e9)


def _n(value: float) -> str:
    return f"{value:.1f}"


def _svg(height: float, label: str, parts: Sequence[str], wide: float = _W) -> str:
    kind = "chart" if wide == _W else "chart square"
    return (
        f'<svg class="{kind}" role="img" aria-label="{escape(label)}" viewBox="0 0 {wide:.0f} {height:.0f}">'
        + "".join(parts)
        + "</svg>"
    )


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "") -> str:
    more = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{_n(x)}" y="{_n(y)}"{more}>{escape(text)}</text>'


def _line(x0: float, y0: float, x1: float, y1: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{_n(x0)}" y1="{_n(y0)}" x2="{_n(x1)}" y2="{_n(y1)}"/>'


def _dot(x: float, y: float, radius: float, kind: str, hint: str = "") -> str:
    inner = f"<title>{escape(hint)}</title>" if hint else ""
    return f'<circle class="{kind}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}">{inner}</circle>'


def _path(points: Sequence[tuple[float, float]], kind: str) -> str:
    return f'<path class="{kind}" d="M' + "L".join(f"{_n(x)} {_n(y)}" for x, y in points) + '"/>'


def _grid(
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[tuple[float, str]],
    box: tuple[float, float, float],
) -> list[str]:
    """Grid lines with their labels. Ticks are (place, label); the box is left, right, bottom."""
    left, right, bottom = box
    parts = [
        _line(left, y, right, y, "grid") + _text(left - 7, y + 4, label, "dim", "end") for y, label in y_ticks
    ]
    last = -1e9
    for x, label in x_ticks:
        if x - last >= width(label, 12) + 8:  # labels that would touch are left out
            parts.append(_text(x, bottom + 18, label, "dim", "middle"))
            last = x
    return [*parts, _line(left, bottom, right, bottom, "axis")]


def _upright(report: Report, bottom: float, top: float) -> tuple[float, float]:
    """Where the least and the largest loss stand: a score of which more is better grows upwards."""
    return (top, bottom) if report.facts.greater_is_better else (bottom, top)


def _bounds(values: Sequence[float], room: float = 0.06) -> tuple[float, float]:
    low, high = min(values), max(values)
    gap = room * (high - low) or abs(low) * room or 1.0
    return low - gap, high + gap


def score_chart(report: Report) -> str:
    """The best score and the baseline on one line, with their intervals."""
    facts = report.facts
    rows = [("this model", report.best, "best"), ("baseline", report.baseline, "base")]
    values = [v for _, s, _ in rows for v in (s.score, s.low, s.high) if v is not None]
    low, high = _bounds(values)
    # A loss is read against zero, where zero is in sight.
    if not facts.greater_is_better and 0 <= min(values) < 0.5 * max(values):
        low = 0.0
    left, right = 92.0, _W - 22
    scale = _linear(low, high, left, right)
    marks = ticks(low, high, 5)
    parts = _grid(
        [(scale(t), label) for t, label in zip(marks, tick_labels(marks), strict=True)],
        [],
        (left, right, 108),
    )
    parts += [_line(scale(t), 6, scale(t), 108, "grid") for t in marks]
    near = 0.1 < abs(report.best.score) / abs(report.baseline.score) < 10 if report.baseline.score else False
    texts = [number(s.score) for _, s, _ in rows]
    if near:
        texts = numbers_alike(*(s.score for _, s, _ in rows))
    for k, ((name, score, kind), text) in enumerate(zip(rows, texts, strict=True)):
        y = 32.0 + 44 * k
        parts.append(_text(left - 10, y + 4, name, "", "end"))
        if score.low is not None and score.high is not None:
            parts.append(_line(scale(score.low), y, scale(score.high), y, f"{kind} wide"))
        parts.append(_dot(scale(score.score), y, 6.5, f"{kind} dot", number(score.score)))
        x = min(max(scale(score.score), left + 24), right - 24)
        parts.append(_text(x, y - 13, text, "strong", "middle"))
    better = "higher is better →" if facts.greater_is_better else "← lower is better"
    parts.append(_text(right, 144, f"{metric_name(facts.metric)}, {better}", "dim", "end"))
    return _svg(150, "the score against the baseline", parts)


def timeline_chart(report: Report) -> str:
    """Every candidate's score over time, and the best so far."""
    candidates = sorted(report.candidates, key=lambda c: (c.at if c.at is not None else math.inf, c.number))
    timed = all(c.at is not None for c in candidates if c.loss is not None)
    end = min(max(report.effort.seconds, 0.0), 1e9)
    places = [(end if c.at is None else c.at) if timed else float(k + 1) for k, c in enumerate(candidates)]
    scored = [(x, c.loss, c) for x, c in zip(places, candidates, strict=True) if c.loss is not None]
    if not scored:
        return ""
    best = min(loss for _, loss, _ in scored)
    # What is worse than the baseline stands at the edge: how much worse says nothing.
    worst = min(max(loss for _, loss, _ in scored), max(report.baseline.loss, best))
    logarithmic = best > 0 and worst > 4 * best
    left, top, right, bottom = 62.0, 14.0, _W - 14, 240.0
    if logarithmic:
        low, high = best / 1.15, worst * 1.15
        y = _log(low, high, *_upright(report, bottom, top))
        marks = log_ticks(low, high)
    else:
        low, high = _bounds([best, worst])
        y = _linear(low, high, *_upright(report, bottom, top))
        marks = ticks(low, high)
    ends = max(places[-1], end if timed else 0.0)
    x = _linear(0.0, ends * 1.02 or 1.0, left, right)
    x_marks = ticks(0.0, ends or 1.0, 6)
    labels = (
        [number(shown(report, t)) for t in marks]
        if logarithmic
        else tick_labels([shown(report, t) or 0.0 for t in marks])
    )
    parts = _grid(
        [(x(t), f"{number(t)} s" if timed else number(t)) for t in x_marks],
        [(y(t), label) for t, label in zip(marks, labels, strict=True)],
        (left, right, bottom),
    )
    step = max(len(scored) // _MOST_POINTS, 1)
    for place, loss, c in scored[::step]:
        hint = f"{number(shown(report, loss))}: {clean(c.text, 200)}"
        parts.append(_dot(x(place), y(loss), 3.5, "try", hint))
    lost = [(p, c) for p, c in zip(places, candidates, strict=True) if c.loss is None]
    for place, c in lost[:: max(len(lost) // _MOST_POINTS, 1)]:
        hint = f"{outcome_name(c.outcome)}: {clean(c.reason, 200)}"
        a, b = x(place), bottom - 7
        parts.append(
            f'<path class="lost" d="M{_n(a - 3.5)} {_n(b - 3.5)}l7 7m0 -7l-7 7">'
            f"<title>{escape(hint)}</title></path>"
        )
    so_far: list[tuple[float, float]] = []
    least = math.inf
    for place, loss, _ in scored:
        if loss < least:
            so_far += [(x(place), y(least))] if so_far else []
            so_far.append((x(place), y(loss)))
            least = loss
    so_far.append((x(ends), y(least)))
    parts.append(_path(so_far, "best line"))
    unit = "time since the start" if timed else "candidates in order"
    parts.append(_text((left + right) / 2, bottom + 38, unit, "dim", "middle"))
    parts.append(_text(left, bottom + 60, "", ""))
    legend = [("try", "a candidate"), ("line", "best single one so far")] + (
        [("lost", "ended without a score")] if lost else []
    )
    at = left
    for kind, words in legend:
        if kind == "try":
            parts.append(_dot(at + 4, bottom + 58, 3.5, "try"))
        elif kind == "line":
            parts.append(_line(at - 4, bottom + 58, at + 12, bottom + 58, "best line"))
        else:
            parts.append(f'<path class="lost" d="M{_n(at)} {_n(bottom + 54.5)}l7 7m0 -7l-7 7"/>')
        parts.append(_text(at + 18, bottom + 62, words, "dim"))
        at += 34 + width(words, 12)
    return _svg(310, "candidates over time", parts)


def importance_chart(report: Report, most: int = 15) -> str:
    """How much each column matters, with intervals."""
    items = sorted(report.importance, key=lambda i: -i.mean)[:most]
    if not items:
        return ""
    names = [fit(clean(i.column, 60), 150, 12) for i in items]
    values = numbers_alike(*(i.mean for i in items), digits=2)
    left = max(width(n, 12) for n in names) + 14
    right = _W - max(width(v, 12) for v in values) - 14
    low = min(0.0, *(i.mean if i.low is None else i.low for i in items))
    high = max(*(i.mean if i.high is None else i.high for i in items), 0.0)
    scale = _linear(low, high if high > low else low + 1.0, left, right)
    parts = []
    for k, (item, name, value) in enumerate(zip(items, names, values, strict=True)):
        y = 16.0 + 26 * k
        zero, end = scale(0.0), scale(item.mean)
        kind = "bar" if matters(item) else "bar faint"
        parts.append(_text(left - 10, y + 4, name, "" if matters(item) else "dim", "end"))
        parts.append(
            f'<rect class="{kind}" x="{_n(min(zero, end))}" y="{_n(y - 8)}" '
            f'width="{_n(max(abs(end - zero), 1.0))}" height="16" rx="2"/>'
        )
        if item.low is not None and item.high is not None:
            a, b = scale(item.low), scale(item.high)
            parts.append(
                f'<path class="whisker" d="M{_n(a)} {_n(y)}H{_n(b)}'
                f'M{_n(a)} {_n(y - 4)}v8M{_n(b)} {_n(y - 4)}v8"/>'
            )
        parts.append(_text(_W - 2, y + 4, value, "dim", "end"))
    height = 26.0 * len(items) + 8
    parts.append(_line(scale(0.0), 2, scale(0.0), height - 2, "axis"))
    return _svg(height, "how much each column matters", parts)


def calibration_chart(calibration: Calibration) -> str:
    """What was promised against what was observed; on the diagonal they are equal."""
    left, top, side = 62.0, 12.0, 270.0
    right, bottom = left + side, top + side
    x, y = _linear(0, 1, left, right), _linear(0, 1, bottom, top)
    marks = [(t, f"{100 * t:.0f} %") for t in (0.0, 0.25, 0.5, 0.75, 1.0)]
    parts = _grid([(x(t), s) for t, s in marks], [(y(t), s) for t, s in marks], (left, right, bottom))
    parts.append(_line(left, bottom, right, top, "diagonal"))
    if calibration.bins:
        most = max(max(b.count for b in calibration.bins), 1)
        points = sorted(calibration.bins, key=lambda b: b.predicted)
        if len(points) > 1:
            parts.append(_path([(x(b.predicted), y(b.observed)) for b in points], "best thin"))
        for b in points[:_MOST_POINTS]:
            radius = 2.5 + 3.5 * math.sqrt(min(max(b.count, 0) / most, 1.0))
            hint = (
                f"predicted {percent(b.predicted)}, observed {percent(b.observed)}, {count(b.count, 'row')}"
            )
            parts.append(_dot(x(b.predicted), y(b.observed), radius, "best dot", hint))
        about = clean(calibration.about, 40)
        names = ("predicted probability" + (f" of {about}" if about else ""), "how often it was so")
    else:
        points_ = sorted(calibration.coverage, key=lambda c: c.nominal)
        if len(points_) > 1:
            parts.append(_path([(x(c.nominal), y(c.observed)) for c in points_], "best thin"))
        for c in points_[:_MOST_POINTS]:
            hint = f"promised {percent(c.nominal)}, held {percent(c.observed)}"
            parts.append(_dot(x(c.nominal), y(c.observed), 5, "best dot", hint))
        names = ("share that an interval promises to hold", "share that it held")
    parts.append(_text((left + right) / 2, bottom + 38, names[0], "dim", "middle"))
    parts.append(
        '<text class="dim" text-anchor="middle" '
        f'transform="translate(14 {_n((top + bottom) / 2)}) rotate(-90)">'
        f"{escape(names[1])}</text>"
    )
    return _svg(bottom + 48, "calibration", parts, right + 20)


def curve_chart(report: Report, curve: Curve) -> str:
    """The loss against the number of rows, with the fitted curve and the forecast for twice the rows."""
    points = sorted((p for p in curve.points if p.rows > 0), key=lambda p: p.rows)
    if not points:
        return ""
    most = points[-1].rows
    forecast = curve.forecast
    double = 2 * most
    losses = [v for p in points for v in (p.loss - (p.spread or 0.0), p.loss + (p.spread or 0.0))]
    if forecast is not None:
        losses += [forecast.at_double, forecast.low, forecast.high]
    low, high = _bounds(losses, 0.1)
    if 0 <= min(losses) < 0.4 * max(losses):
        low = 0.0
    left, top, right, bottom = 62.0, 14.0, _W - 20, 240.0
    y = _linear(low, high, *_upright(report, bottom, top))
    x = _log(points[0].rows / 1.15, double * 1.12 if forecast is not None else most * 1.15, left, right)
    marks = ticks(low, high)
    names = tick_labels([shown(report, t) or 0.0 for t in marks])
    rows = [*dict.fromkeys(p.rows for p in points), *([double] if forecast is not None else [])]
    parts = _grid(
        [(x(r), f"{r:,}") for r in rows],
        [(y(t), name) for t, name in zip(marks, names, strict=True)],
        (left, right, bottom),
    )
    if forecast is not None:
        curve_of = [(points[0].rows * (double / points[0].rows) ** (k / 40)) for k in range(41)]
        fitted = [(x(r), y(_at(forecast.a, forecast.b, forecast.c, r))) for r in curve_of]
        known = [p for p, r in zip(fitted, curve_of, strict=True) if r <= most]
        ahead = [p for p, r in zip(fitted, curve_of, strict=True) if r >= most * 0.999]
        if len(known) > 1:
            parts.append(_path(known, "best thin"))
        if len(ahead) > 1:
            parts.append(_path(ahead, "best thin ahead"))
        a = x(double)
        parts.append(_line(a, y(forecast.low), a, y(forecast.high), "base wide"))
        parts.append(_dot(a, y(forecast.at_double), 6, "base dot", number(shown(report, forecast.at_double))))
        parts.append(_text(a, min(y(forecast.low), y(forecast.high)) - 8, "forecast", "dim", "end"))
    for p in points[:_MOST_POINTS]:
        if p.spread is not None:
            parts.append(_line(x(p.rows), y(p.loss - p.spread), x(p.rows), y(p.loss + p.spread), "whisker"))
        hint = f"{count(p.rows, 'row')}: {number(shown(report, p.loss))}"
        parts.append(_dot(x(p.rows), y(p.loss), 5, "best dot", hint))
    parts.append(_text((left + right) / 2, bottom + 38, "rows to learn from", "dim", "middle"))
    return _svg(284, "learning curve", parts)


def _at(a: float, b: float, c: float, rows: float) -> float:
    """The curve's loss; any finite coefficients give a finite number."""
    exponent = min(max(-c * math.log(rows), -700.0), 300.0)
    return min(max(a + b * math.exp(exponent), -1e300), 1e300)
