"""What a program saw, as a picture: the images of examples with their classes, the steps, the answer; mistakes too.

The SVG stands alone, as that of the program does: images are in it as PNG data.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.model.picture import _FONT, _n, _text
from meristem.model.seen import SeenExample, SeenImage
from meristem.model.words import clean, fit, percent

_SIDE, _GAP = 60.0, 10.0  # of an image
_LINE = 15.0
_MARGIN = 14.0
_ACROSS = 12  # images side by side
_STEPS = 6
_WIDE = 860.0
_DOUBT = 0.9  # probability below which the second likeliest class is named too
_MOST_PIXELS = 256  # a side; larger images are thinned out

_STYLE = f"""
.ms-seen{{max-width:100%;height:auto;font-family:{_FONT}}}
.ms-seen text{{fill:#1f2430;font-size:11px}}
.ms-seen .h{{font-size:13px;font-weight:600}}
.ms-seen .s{{fill:#566072}}
.ms-seen .r{{font-weight:600;fill:#c9791d}}
.ms-seen .w{{font-weight:600;fill:#a52a2a}}
.ms-seen .e{{fill:none;stroke:#8a93a3}}
.ms-seen .i{{image-rendering:pixelated}}
.ms-seen .l{{fill:none;stroke:#3b78b8;stroke-width:1.2}}
@media (prefers-color-scheme:dark){{
.ms-seen text{{fill:#e8ecf3}}
.ms-seen .s{{fill:#a6b0c0}}
.ms-seen .r{{fill:#e8a44f}}
.ms-seen .w{{fill:#f09a9a}}
.ms-seen .e{{stroke:#77829a}}
.ms-seen .l{{stroke:#6ea8e6}}
}}
"""


def seen_picture(examples: list[SeenExample], title: str = "") -> str:
    """The picture; empty where there are no examples."""
    if not examples:
        return ""
    parts: list[str] = []
    y = _MARGIN
    for number, example in enumerate(examples, 1):
        y = _example(parts, example, number, y)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ms-seen" viewBox="0 0 {_n(_WIDE)} {_n(y)}" '
        f'width="{_n(_WIDE)}" role="img">'
    )
    name = f"<title>{_escaped(title)}</title>" if title else ""
    return "\n".join([head, name, f"<style>{_STYLE}</style>", *parts, "</svg>"]) + "\n"


def _example(parts: list[str], example: SeenExample, number: int, y: float) -> float:
    """Draw an example from a height on; gives where it ends."""
    verdict = (
        f"Example {number}: {example.answer}, which is right"
        if example.right
        else f"Example {number}: {example.answer}, but its label is {example.label}"
    )
    parts.append(_text(_MARGIN, y + 12, fit(clean(verdict), _WIDE - 2 * _MARGIN, 13, bold=True), "h"))
    if not example.right:
        parts.append(_text(_WIDE - _MARGIN, y + 12, "mistake", "w", "end"))
    y += 20
    shown = example.images[: 3 * _ACROSS]
    lines = max((_lines_of(image) for image in shown), default=0)
    for k, image in enumerate(shown):
        x = _MARGIN + (k % _ACROSS) * (_SIDE + _GAP)
        top = y + (k // _ACROSS) * (_SIDE + _LINE * lines + _GAP)
        parts.append(_drawn(image.value, x, top))
        _said(parts, image, x + _SIDE / 2, top + _SIDE)
    y += -(-len(shown) // _ACROSS) * (_SIDE + _LINE * lines + _GAP)
    if len(shown) < len(example.images):
        parts.append(_text(_MARGIN, y + 10, f"and {len(example.images) - len(shown):,} more", "s"))
        y += _LINE
    for place, (text, value) in enumerate(example.steps[:_STEPS], 1):
        line = f"{place}  {clean(text)}  \N{RIGHTWARDS ARROW}  {clean(value)}"
        parts.append(_text(_MARGIN, y + 10, fit(line, _WIDE - 2 * _MARGIN, 11), ""))
        y += _LINE
    if len(example.steps) > _STEPS:
        parts.append(_text(_MARGIN, y + 10, f"and {len(example.steps) - _STEPS:,} more steps", "s"))
        y += _LINE
    return y + 2 * _MARGIN


def _lines_of(image: SeenImage) -> int:
    return sum(1 + (s.sure is not None) + _doubted(s.sure) for s in image.sightings)


def _doubted(sure: float | None) -> bool:
    return sure is not None and sure < _DOUBT


def _said(parts: list[str], image: SeenImage, middle: float, top: float) -> None:
    """What each part says of an image, under it."""
    y = top
    several = len(image.sightings) > 1
    for sighting in image.sightings:
        label = f"{sighting.part}: {sighting.label}" if several else sighting.label
        y += _LINE
        parts.append(_text(middle, y - 2, fit(clean(label), _SIDE + _GAP, 11, bold=True), "r", "middle"))
        if sighting.sure is not None:
            y += _LINE
            parts.append(_text(middle, y - 3, percent(sighting.sure), "s", "middle"))
        if _doubted(sighting.sure):
            y += _LINE
            other = f"or {sighting.other}: {percent(sighting.other_sure)}"
            parts.append(_text(middle, y - 4, fit(clean(other), _SIDE + _GAP, 11), "s", "middle"))


def _drawn(value: NDArray[Any], x: float, y: float) -> str:
    """An image as it is, a signal as a line, a vector as its numbers' heights."""
    frame = f'<rect class="e" x="{_n(x)}" y="{_n(y)}" width="{_n(_SIDE)}" height="{_n(_SIDE)}"/>'
    if value.ndim == 3:
        data = base64.b64encode(png_of(value)).decode()
        return (
            f'<image class="i" x="{_n(x)}" y="{_n(y)}" width="{_n(_SIDE)}" height="{_n(_SIDE)}" '
            f'href="data:image/png;base64,{data}"/>{frame}'
        )
    heights = np.asarray(value, np.float64).reshape(len(value), -1)[:, 0] if value.size else np.zeros(1)
    at = np.linspace(0, len(heights) - 1, min(len(heights), 120)).round().astype(int)
    reach = float(np.abs(heights).max()) or 1.0
    points = " ".join(
        f"{_n(x + _SIDE * k / max(len(at) - 1, 1))},{_n(y + _SIDE / 2 * (1 - float(heights[i]) / reach))}"
        for k, i in enumerate(at.tolist())
    )
    return f'{frame}<polyline class="l" points="{points}"/>'


def png_of(image: NDArray[Any]) -> bytes:
    """An image [H, W, C] as a PNG: one channel is grey, of others the first three are red, green and blue.

    Values from 0 to 1 are from black to white; of others the least and the highest are.
    """
    data = np.asarray(image, np.float64)
    step = -(-max(data.shape[:2]) // _MOST_PIXELS)
    data = np.nan_to_num(data[::step, ::step])
    low, high = (float(data.min()), float(data.max())) if data.size else (0.0, 1.0)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    scaled = np.rint((data - low) / max(high - low, 1e-12) * 255).clip(0, 255).astype(np.uint8)
    colour = scaled.shape[2] >= 3
    pixels = scaled[:, :, :3] if colour else scaled[:, :, :1]
    rows = np.concatenate(
        [np.zeros((len(pixels), 1), np.uint8), pixels.reshape(len(pixels), -1)], axis=1
    )  # each row begins with its filter, none
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2 if colour else 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def _escaped(text: str) -> str:
    from html import escape

    return escape(clean(text, 120))


__all__ = ["png_of", "seen_picture"]
