"""The readings problem: a task of images as a task of small whole numbers, before any image is looked at.

If each image shows one of K classes, a program over images is a program over K numbers with a reader in front. Its
examples are *all* short readings: every list of up to three classes, say. No label belongs to one of them; but the
labels of all examples of a shape (lists of one length) have a distribution, and that tells programs apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

import meristem.modules  # noqa: F401  (readers are modules by name)
from meristem.errors import InputError
from meristem.language.terms import Call, Lambda, Let, Module, Term, Variable
from meristem.training.lifted import Readings
from meristem.training.lifted.split import OPAQUE
from meristem.training.lifted.tables import answer_key, joint_readings
from meristem.types import BOOL, INT, Type, class_of, format_type, list_of
from meristem.values import Column, Lists, Scalars

IntArray = NDArray[np.int64]
RealArray = NDArray[np.float64]

MOST_ROWS = 1500
"""Readings that programs are ranked on: all lists of up to three of ten classes are 1,110."""
_ALWAYS = 20_000  # of the smallest shape, where even that one has more than `MOST_ROWS`
_WHOLE = 128  # readings of one shape that all programs are run on: all pairs of ten classes
_GRIDS = 300  # readings of the smallest grid of several rows, which are too many to have all
_MOST_SHAPES = 8


@dataclass(frozen=True)
class Place:
    """Where images stand among the inputs.

    Args:
        variable: The name of its readings in programs over readings.
        image: The term of the image, or of the list or grid of images, in programs over images.
        depth: 0 for an image, 1 for a list of images, 2 for a list of lists: a grid.
    """

    variable: str
    image: Term
    depth: int

    @property
    def listed(self) -> bool:
        """Whether it is a list or a grid."""
        return self.depth > 0

    @property
    def type(self) -> Type:
        """The type of its readings."""
        found = INT
        for _ in range(self.depth):
            found = list_of(found)
        return found


@dataclass(frozen=True)
class Look:
    """How the images of a task stand in its inputs.

    Args:
        inputs: The types of the inputs.
        places: Where the images are.
        image: The type of all of them.
    """

    inputs: Mapping[str, Type]
    places: tuple[Place, ...]
    image: Type

    @property
    def types(self) -> dict[str, Type]:
        """The types of readings, by variable."""
        return {place.variable: place.type for place in self.places}

    def over_images(self, term: Term, reader: Module, read: str = "class_number") -> Term:
        """A program over readings as one over images.

        Args:
            term: The program over readings.
            reader: The module that reads an image; its argument is replaced.
            read: The primitive that makes a number of what it gives.
        """
        used = {name for node in term.walk() for name in _names_in(node)} | set(self.inputs)
        item = next(name for name in _fresh_names(("x", "item", "image")) if name not in used)
        row = next(name for name in _fresh_names(("row", "line")) if name not in used)
        result = term
        for place in self.places:
            if place.listed:
                body = Call(read, (applied(reader, Variable(item)),))
                inner = place.image if place.depth == 1 else Variable(row)
                seen: Term = Call("map", (Lambda((item,), body), inner))
                if place.depth == 2:
                    seen = Call("map", (Lambda((row,), seen), place.image))
            else:
                seen = Call(read, (applied(reader, place.image),))
            times = sum(node == Variable(place.variable) for node in term.walk())
            if times > 1:  # named, for who reads it
                name = next(n for n in _fresh_names(("seen", f"seen_{place.variable}")) if n not in used)
                used.add(name)
                result = Let(name, seen, _put(result, place.variable, Variable(name)))
            else:
                result = _put(result, place.variable, seen)
        return result

    def shapes(self, inputs: Mapping[str, Column]) -> IntArray:
        """How many images there are at each place, [N, widths]; 1 for an image that is in no list.

        A grid has as many columns as the highest one has rows, each with the number of images of a row: 2, 2, 0 for
        2 x 2 where others have three rows. All grids have equally many columns.
        """
        count = len(next(iter(inputs.values())))
        grids = [
            inputs[place.image.name]
            for place in self.places
            if place.depth == 2 and isinstance(place.image, Variable)
        ]
        high = max(
            (int(np.diff(grid.offsets).max(initial=1)) for grid in grids if isinstance(grid, Lists)),
            default=0,
        )
        parts: list[IntArray] = []
        for place in self.places:
            if not place.listed:
                parts.append(np.ones((count, 1), np.int64))
                continue
            assert isinstance(place.image, Variable)
            column = inputs[place.image.name]
            assert isinstance(column, Lists)
            sizes = np.diff(column.offsets)
            if place.depth == 1:
                parts.append(sizes[:, None])
                continue
            rows = column.items
            assert isinstance(rows, Lists)
            widths = np.zeros((count, high), np.int64)
            first, last = int(column.offsets[0]), int(column.offsets[-1])
            of = np.repeat(np.arange(count), sizes)
            widths[of, np.arange(first, last) - np.repeat(column.offsets[:-1], sizes)] = np.diff(
                rows.offsets
            )[first:last]
            parts.append(widths)
        return np.concatenate(parts, axis=1)

    def columns(self, shapes: IntArray, values: NDArray[Any], starts: IntArray) -> dict[str, Column]:
        """Readings as columns of N rows.

        Args:
            shapes: Shape [N, widths], as `shapes` gives them.
            values: All readings, row after row, place after place.
            starts: Shape [N + 1]: where each row begins.
        """
        found: dict[str, Column] = {}
        before = starts[:-1].copy()
        grids = sum(place.depth == 2 for place in self.places)
        high = (shapes.shape[1] - len(self.places) + grids) // max(grids, 1)
        k = 0
        for place in self.places:
            wide = high if place.depth == 2 else 1
            widths, k = shapes[:, k : k + wide], k + wide
            sizes = widths.sum(axis=1)
            if place.listed:
                offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
                at = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes) + np.repeat(before, sizes)
                items = Scalars(INT, values[at].astype(np.int64))
                found[place.variable] = Lists(offsets, items) if place.depth == 1 else _grids(widths, items)
            else:
                found[place.variable] = Scalars(INT, values[before].astype(np.int64))
            before = before + sizes
        return found


def _grids(widths: IntArray, items: Scalars) -> Lists:
    """Grids from the widths of their rows [N, most rows], empty ones at the end left out, and all cells in order."""
    most = widths.shape[1]
    high = most - np.argmax(widths[:, ::-1] > 0, axis=1) if most else np.zeros(len(widths), np.int64)
    high = np.where((widths > 0).any(axis=1), high, 0).astype(np.int64)
    used = np.arange(most)[None, :] < high[:, None]
    inner = np.concatenate([[0], np.cumsum(widths[used])]).astype(np.int64)
    return Lists(np.concatenate([[0], np.cumsum(high)]).astype(np.int64), Lists(inner, items))


def _names_in(node: Term) -> tuple[str, ...]:
    if isinstance(node, Variable | Let):
        return (node.name,)
    names: tuple[str, ...] = getattr(node, "parameters", ())
    return names


def _fresh_names(first: tuple[str, ...]) -> Iterator[str]:
    yield from first
    for k in count(2):
        yield f"{first[0]}{k}"


def _put(term: Term, name: str, value: Term) -> Term:
    """A term with a variable replaced; nothing inside binds that name."""
    if isinstance(term, Variable):
        return value if term.name == name else term
    if isinstance(term, Let) and term.name.startswith("seen"):
        return Let(term.name, term.value, _put(term.body, name, value))
    children = term.children()
    return term.with_children(tuple(_put(child, name, value) for child in children)) if children else term


def look_at(inputs: Mapping[str, Type]) -> Look:
    """Find the images in the inputs.

    Raises:
        InputError: There are none, of several types, or at places that this search does not know.
    """
    places: list[Place] = []
    images: list[Type] = []
    for name, type_ in inputs.items():
        if type_.name in OPAQUE:
            places.append(Place(name, Variable(name), 0))
            images.append(type_)
        elif type_.name == "list" and type_.item.name in OPAQUE:
            places.append(Place(name, Variable(name), 1))
            images.append(type_.item)
        elif type_.name == "list" and type_.item.name == "list" and type_.item.item.name in OPAQUE:
            places.append(Place(name, Variable(name), 2))
            images.append(type_.item.item)
        elif type_.name == "pair" and all(each.name in OPAQUE for each in type_.args):
            for side, each in zip(("left", "right"), type_.args, strict=True):
                places.append(Place(f"{name}_{side}", Call(side, (Variable(name),)), 0))
                images.append(each)
        else:
            raise InputError(
                f"expected images, signals or vectors as inputs, or lists, grids or pairs of them, got {name!r} of "
                f"type {format_type(type_, 6)}"
            )
    if not places:
        raise InputError("expected at least one input with images, got none")
    if len(set(images)) > 1:
        shown = ", ".join(dict.fromkeys(format_type(each, 6) for each in images))
        raise InputError(
            f"expected images of one size for one reader, got {shown}; pass resize=(height, width)"
        )
    if len({place.variable for place in places}) < len(places):
        raise InputError("two inputs have names that clash; rename one")
    return Look(dict(inputs), tuple(places), images[0])


@dataclass(frozen=True)
class ReadingProblem:
    """All short readings, and how often each label comes at each shape.

    Args:
        look: Where the images stand.
        classes: K.
        output: The type of the answers: int or bool.
        labels: The distinct labels, as answers are compared.
        shapes: The shapes that are ranked on, [S, places].
        counts: Shape [S, labels]: how often each label comes at each of them.
        all_shapes: All shapes that occur, [T, places], and how often each label comes there, [T, labels].
        all_counts: See `all_shapes`.
    """

    look: Look
    classes: int
    output: Type
    labels: tuple[Any, ...]
    shapes: IntArray
    counts: IntArray
    all_shapes: IntArray
    all_counts: IntArray

    @cached_property
    def readings(self) -> Readings:
        """The readings that programs are ranked on, shape after shape."""
        return self.block(self.shapes)

    def block(self, shapes: IntArray) -> Readings:
        """All readings of some shapes."""
        parts = [joint_readings([self.classes] * int(shape.sum())) for shape in shapes]
        counts = []
        for values in parts:
            own = np.zeros((len(values), self.classes))
            for t in range(values.shape[1]):
                own[np.arange(len(values)), values[:, t]] += 1
            counts.append(own)
        starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
        return Readings(tuple(range(len(shapes))), starts, np.concatenate(counts))

    def columns(self, shapes: IntArray) -> dict[str, Column]:
        """All readings of some shapes as inputs of programs."""
        parts = [joint_readings([self.classes] * int(shape.sum())) for shape in shapes]
        rows = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        sizes = shapes.sum(axis=1)[rows]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return self.look.columns(shapes[rows], np.concatenate([part.ravel() for part in parts]), starts)

    def to_enumerate(self, more: int, rng: np.random.Generator) -> tuple[dict[str, Column], int, int]:
        """Readings to enumerate on: all of one shape, then some of every shape.

        Args:
            more: About how many of the others.
            rng: Chooses them.

        Returns:
            The readings; how many of them are all readings of one shape; and which of `shapes` that is. Where every
            shape has too many, these are a uniform sample.
        """
        totals = float(self.classes) ** self.shapes.sum(axis=1)
        small = np.flatnonzero(totals <= _WHOLE)
        wide = np.flatnonzero((self.shapes > 0).sum(axis=1) > len(self.look.places))
        if len(wide):  # grids of one row tell hardly anything about programs over grids
            whole = int(wide[np.argmax(self.counts[wide].sum(axis=1))])
            size = int(self.shapes[whole].sum())
            first = rng.integers(0, self.classes, (_GRIDS, size))
            return self._with_others(first, whole, more, rng)
        if len(small):  # of those that can be had whole the one with most labels
            whole = int(small[np.argmax(self.counts[small].sum(axis=1))])
            first = joint_readings([self.classes] * int(self.shapes[whole].sum()))
        else:
            whole = 0
            first = rng.integers(0, self.classes, (_WHOLE, int(self.shapes[0].sum())))
        return self._with_others(first, whole, more, rng)

    def _with_others(
        self, first: IntArray, whole: int, more: int, rng: np.random.Generator
    ) -> tuple[dict[str, Column], int, int]:
        """Readings of one shape, and some of every other one; see `to_enumerate`."""
        rows = [self.shapes[whole]] * len(first)
        values = [tuple(each) for each in first.tolist()]
        shapes = self.all_shapes[:_MOST_SHAPES]
        for shape in shapes:
            # Repeats are what tells many programs apart, and are rare in long random lists of many classes.
            size = int(shape.sum())
            seen: set[tuple[int, ...]] = set()
            for k in range(int(np.ceil(more / len(shapes)))):
                few = self.classes if k % 3 else max(2, self.classes // 3)
                among = rng.permutation(self.classes)[:few]
                seen.add(tuple(among[rng.integers(0, few, size)].tolist()))
            rows += [shape] * len(seen)
            values += sorted(seen)
        lengths = np.array([len(each) for each in values])
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        flat = np.array([v for each in values for v in each], np.int64)
        return self.look.columns(np.array(rows), flat, starts), len(first), whole

    def sampled(self, columns: Mapping[str, Column], count: int) -> Readings:
        """The first readings of columns, of one shape, as a block."""
        found = np.zeros((count, self.classes))
        for place in self.look.places:
            column = columns[place.variable].take(np.arange(count))
            if isinstance(column, Lists):
                of = np.repeat(np.arange(count), np.diff(column.offsets))
                if isinstance(column.items, Lists):
                    of = np.repeat(of, np.diff(column.items.offsets))
                    column = column.items
                assert isinstance(column.items, Scalars)
                np.add.at(found, (of, column.items.data), 1)
            else:
                assert isinstance(column, Scalars)
                np.add.at(found, (np.arange(count), column.data), 1)
        return Readings((0,), np.array([0, count]), found)

    def numbers(self, answers: Column, failed: NDArray[np.bool_]) -> IntArray:
        """Answers [N] as numbers of labels; -1 for what is no label, and where there is no answer."""
        assert isinstance(answers, Scalars)
        return self.numbers_of(answers.data, failed)

    def numbers_of(self, data: NDArray[Any], failed: NDArray[np.bool_]) -> IntArray:
        """As `numbers`, for raw values [...]."""
        table, low = self._table
        place = np.clip(data.astype(np.int64) - low + 1, 0, len(table) - 1)
        found: IntArray = np.where(failed, -1, table[place])
        return found

    @cached_property
    def _table(self) -> tuple[IntArray, int]:
        values = np.array([int(label) for label in self.labels], np.int64)
        low, high = int(values.min()), int(values.max())
        if high - low > 1_000_000:
            raise InputError("expected answers that lie within a million of one another")
        table = np.full(high - low + 3, -1, np.int64)
        table[values - low + 1] = np.arange(len(values))
        return table, low


def reading_problem(
    look: Look, inputs: Mapping[str, Column], answers: Column, classes: int
) -> ReadingProblem:
    """The readings problem of a task.

    Args:
        look: Where the images stand.
        inputs: Columns of N rows.
        answers: The labels [N], int or bool.
        classes: K, how many classes an image may be of.

    Raises:
        InputError: The labels are of another type, or there are none.
    """
    if answers.type not in (INT, BOOL):
        raise InputError(
            f"expected final answers that are whole numbers or true and false, got {format_type(answers.type, 6)}"
        )
    if not len(answers):
        raise InputError("expected examples, got none")
    raw = answers.to_list()
    labels = tuple(dict.fromkeys(sorted(raw)))
    place = {answer_key(label): k for k, label in enumerate(labels)}
    ids = np.array([place[answer_key(label)] for label in raw])
    shapes, which = np.unique(look.shapes(inputs), axis=0, return_inverse=True)
    counts = np.zeros((len(shapes), len(labels)), np.int64)
    np.add.at(counts, (which.ravel(), ids), 1)
    sizes = shapes.sum(axis=1)
    order = np.lexsort((-counts.sum(axis=1), sizes))
    shapes, counts, sizes = shapes[order], counts[order], sizes[order]
    room = MOST_ROWS
    kept: list[int] = []
    wide = (shapes > 0).sum(axis=1) > len(look.places)
    for k, size in enumerate(sizes.tolist()):
        rows = float(classes) ** size
        if wide[k] and not wide[kept].any() and rows <= _ALWAYS:  # the first grid of several rows
            kept.append(k)
        elif size and rows <= (room if kept else _ALWAYS):
            kept.append(k)
            room -= int(rows)
    if not kept:
        raise InputError(
            f"expected some examples with few images, got none with less than {int(sizes.min())}: with {classes} "
            "classes programs cannot be told apart before training; add examples of short lists"
        )
    return ReadingProblem(look, classes, answers.type, labels, shapes[kept], counts[kept], shapes, counts)


def applied(reader: Module, image: Term) -> Module:
    """A reader, which may be modules one upon another, applied to an image."""
    inner = reader.args[0] if len(reader.args) == 1 else None
    args = (applied(inner, image),) if isinstance(inner, Module) else (image,)
    return Module(reader.kind, args, reader.choices, reader.output, reader.label, reader.version)


def reader_of(image: Type, classes: int, label: str) -> Module:
    """A new reader for images of a type, without its argument."""
    kinds = {"image": "convnet", "signal": "audionet", "vector": "dense"}
    return Module(kinds[image.name], (), (), class_of(*map(str, range(classes))), label)


__all__ = [
    "MOST_ROWS",
    "Look",
    "Place",
    "ReadingProblem",
    "applied",
    "look_at",
    "reader_of",
    "reading_problem",
]
