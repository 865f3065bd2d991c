"""A library as a picture: two shelves, algorithmic and geometric, and who uses what.

As the picture of a program, it stands alone: no script, no link, nothing from elsewhere.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from meristem.library.card import ALGORITHMIC, GEOMETRIC
from meristem.library.entry import Entry
from meristem.model.words import clean, count, fit
from meristem.types import format_type

if TYPE_CHECKING:
    from meristem.library.library import Library

_MOST = 30  # entries a shelf
_WIDE, _HIGH, _GAP, _MARGIN, _MIDDLE = 330.0, 46.0, 10.0, 18.0, 150.0
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Verdana, sans-serif"
# Shelves differ in place, words and colour; people of every common kind of colour vision tell these two apart.
_STYLE = (
    "\n.ms-library{max-width:100%;height:auto;font-family:"
    + _FONT
    + "}"
    + """
.ms-library text{fill:#1f2430;font-size:11px}
.ms-library .h{font-size:15px;font-weight:600}
.ms-library .t{font-size:13px;font-weight:600}
.ms-library .s{fill:#566072}
.ms-library .n{fill:#566072;text-anchor:end}
.ms-library .algorithmic{fill:#e6f0fb;stroke:#3b78b8;stroke-width:1.25}
.ms-library .geometric{fill:#fdebd3;stroke:#c9791d;stroke-width:1.25}
.ms-library .e{fill:none;stroke:#8a93a3;stroke-width:1.4}
.ms-library .p{fill:#8a93a3}
@media (prefers-color-scheme:dark){
.ms-library text{fill:#e8ecf3}
.ms-library .s,.ms-library .n{fill:#a6b0c0}
.ms-library .algorithmic{fill:#17304c;stroke:#6ea8e6}
.ms-library .geometric{fill:#463011;stroke:#e8a44f}
.ms-library .e{stroke:#77829a}
.ms-library .p{fill:#77829a}
}
"""
)


def library_picture(library: Library) -> str:
    """The library as a self-contained SVG. The most used entries stand on top; of many the first are drawn."""
    uses = library.use_counts()
    shelves: dict[str, list[Entry]] = {ALGORITHMIC: [], GEOMETRIC: []}
    for entry in library.entries():
        shelves[entry.shelf].append(entry)
    for shelf in shelves.values():
        shelf.sort(key=lambda e: (-uses.get(e.number, 0), e.name))
    places: dict[int, tuple[float, float, str]] = {}
    rows = max([min(len(shelf), _MOST) for shelf in shelves.values()] + [1])
    boxes: list[str] = []
    top = _MARGIN + 62
    more = False
    for column, (kind, title) in enumerate(((ALGORITHMIC, "Algorithmic"), (GEOMETRIC, "Geometric"))):
        x = _MARGIN + column * (_WIDE + _MIDDLE)
        listed = shelves[kind]
        boxes.append(_text(x, _MARGIN + 46, f"{title}: {count(len(listed), 'entry', 'entries')}", "t"))
        for k, entry in enumerate(listed[:_MOST]):
            y = top + k * (_HIGH + _GAP)
            places[entry.number] = (x, y, kind)
            boxes.append(_box(entry, x, y, uses.get(entry.number, 0)))
        if len(listed) > _MOST:
            more = True
            y = top + _MOST * (_HIGH + _GAP) + 12
            boxes.append(_text(x, y, f"and {len(listed) - _MOST:,} more", "s"))
        if not listed:
            boxes.append(_text(x, top + 16, "nothing yet", "s"))
    edges = [
        _edge(places[used], places[user])
        for used, user, _ in library.links()
        if used in places and user in places
    ]
    full_x = 2 * (_MARGIN + _WIDE) + _MIDDLE
    full_y = top + rows * (_HIGH + _GAP) + _MARGIN + (24 if more else 0)
    name = escape(fit(clean(f"The library {library.path.name}", 200), full_x - 2 * _MARGIN, 15, bold=True))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="ms-library" role="img" aria-label="{name}" '
            f'width="{full_x:g}" height="{full_y:g}" viewBox="0 0 {full_x:g} {full_y:g}">',
            f"<title>{name}</title>",
            f"<style>{_STYLE}</style>",
            '<defs><marker id="ms-library-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path class="p" d="M0 0L8 4L0 8z"/></marker></defs>',
            _text(_MARGIN, _MARGIN + 15, name, "h", escaped=True),
            *dict.fromkeys(edges),
            *boxes,
            "</svg>",
        ]
    )


def _box(entry: Entry, x: float, y: float, used: int) -> str:
    room = _WIDE - 24
    note = f"used {used:,}" if used else ""
    name = fit(clean(entry.label, 200), room - 8 * len(note), 13, bold=True)
    type_ = fit(clean(format_type(entry.type, 4), 200), room, 11)
    card = entry.card
    about = f"{clean(entry.label, 120)}: {clean(card.type, 200)}. {clean(card.doc, 300)}"
    return "".join(
        [
            f"<g><title>{escape(about)}</title>",
            f'<rect class="{entry.shelf}" x="{x:g}" y="{y:g}" width="{_WIDE:g}" height="{_HIGH:g}" rx="7"/>',
            _text(x + 12, y + 19, name, "t"),
            _text(x + _WIDE - 12, y + 19, note, "n") if note else "",
            _text(x + 12, y + 36, type_, "s"),
            "</g>",
        ]
    )


def _text(x: float, y: float, text: str, kind: str, escaped: bool = False) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{text if escaped else escape(text)}</text>'


def _edge(used: tuple[float, float, str], user: tuple[float, float, str]) -> str:
    """From what is used to what uses it, along the space between the shelves."""
    right_of_used = used[0] <= user[0] and used[2] == ALGORITHMIC
    x1 = used[0] + _WIDE if right_of_used else used[0]
    same = used[2] == user[2]
    x2 = (
        (user[0] + _WIDE if right_of_used else user[0])
        if same
        else (user[0] if right_of_used else user[0] + _WIDE)
    )
    y1, y2 = used[1] + _HIGH / 2, user[1] + _HIGH / 2
    bend = _MIDDLE / 2 if right_of_used else -_MIDDLE / 2
    first, second = x1 + bend, x2 + (bend if same else -bend)
    return (
        f'<path class="e" marker-end="url(#ms-library-tip)" '
        f'd="M{x1:g} {y1:g}C{first:g} {y1:g} {second:g} {y2:g} {x2:g} {y2:g}"/>'
    )


__all__ = ["library_picture"]
