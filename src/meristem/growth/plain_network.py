"""The plain network beside a program: what a competent person would train without any program.

An eye makes features of each image, a network over lists (a deep set, a recurrent one, attention) makes an answer of
them, trained end to end on the same examples. Which of these it is, and whether numbers are answered as classes or by
regression, is found out on a part of the examples: all on few, the better half on more, the best on all. So the winner
has a learning curve too, which says at how many labels it would do as well as a program.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.language.kinds import KINDS, GradientKind, Settings, settings_of
from meristem.modules._network import batches
from meristem.search.hybrid.readings import Look, reader_of
from meristem.training.rows import Examples
from meristem.types import INT, Type, class_of, list_of, vector_of
from meristem.values import Column, Dense, Lists, Pairs

IntArray = NDArray[np.int64]
_IMAGES = 96  # a batch
_AT_ONCE = 256  # examples answered at once
_PEAK = {"attention": 2e-3}  # of the learning rate
_USUAL_PEAK = 4e-3
_FEW = 800  # examples; below, the rungs are nearer to one another
_RUNGS, _NEAR_RUNGS = (1 / 8, 1 / 3, 1.0), (1 / 3, 2 / 3, 1.0)
_CHOSEN_ON = (0.1, 20, 400)  # share, least and most of the examples that networks are chosen on
_MOST_TIMES = 1000.0  # labels that a forecast reaches to, as a multiple of those at hand


@dataclass(frozen=True)
class Variant:
    """A plain network.

    Args:
        name: For a person.
        kind: The kind over lists; empty where every example has one image.
        number: Whether the answer is a number (by squared error, rounded) rather than one of the labels seen.
    """

    name: str
    kind: str
    number: bool = False


_ALONE = (Variant("network", ""),)
_LISTS = (
    Variant("recurrent network", "recurrent"),
    Variant("attention", "attention"),
    Variant("deep set", "deepset"),
)
_NUMBERS = (Variant("deep set that adds up", "deepset", True),)


@dataclass(frozen=True)
class PlainResult:
    """How the best plain network did.

    Args:
        accuracy: The share of held-out examples that it answers.
        steps: Batches it was trained on.
        cpu_seconds: What it took, all that was tried included.
        name: Which network it is.
        points: Its learning curve: labels, and the share of held-out examples right. Training time is in proportion.
        rivals: Other networks: name, labels, and the share of the examples right that networks are chosen on.
        answers: What it answers: from inputs, one answer an example.
    """

    accuracy: float
    steps: int
    cpu_seconds: float
    name: str = ""
    points: tuple[tuple[int, float], ...] = ()
    rivals: tuple[tuple[str, int, float], ...] = ()
    answers: Callable[[Mapping[str, Column]], list[Any]] | None = field(default=None, repr=False)


def labels_to_turn(points: Sequence[tuple[int, float]], accuracy: float, held: int) -> float | None:
    """The number of labels at which a plain network would do as well as a program does now.

    Its errors are taken to fall with a power of the labels, as they did so far.

    Args:
        points: Its learning curve: labels, and the share right.
        accuracy: The share that the program answers.
        held: The number of examples these shares are of.

    Returns:
        Labels; infinity where that is beyond a thousand times those at hand. None without a curve.
    """
    if len(points) < 2:
        return None
    labels = np.log([n for n, _ in points])
    errors = np.log([((1 - right) * held + 0.5) / (held + 1) for _, right in points])
    wanted = math.log(((1 - accuracy) * held + 0.5) / (held + 1))
    slope = float(np.polyfit(labels, errors, 1)[0])
    if slope > -0.02:
        return math.inf if errors[-1] > wanted else float(points[-1][0])
    found = math.exp(min(float(labels[-1]) + (wanted - float(errors[-1])) / slope, 700.0))
    return found if found <= _MOST_TIMES * points[-1][0] else math.inf


def images_of(look: Look, inputs: Mapping[str, Column]) -> tuple[Dense, IntArray, IntArray]:
    """All images in the order of the examples, where those of each example are, and how many each has.

    Returns:
        The images [M]; positions [M] by example, end to end; and counts [N].
    """
    parts: list[Dense] = []
    sizes: list[IntArray] = []
    for place in look.places:
        name = getattr(place.image, "name", None)
        column = inputs.get(name) if isinstance(name, str) and name in inputs else None
        if column is None:  # a side of a pair
            (variable,) = place.image.free_names
            pair = inputs[variable]
            assert isinstance(pair, Pairs)
            column = pair.first if name == "left" else pair.second
        if isinstance(column, Lists) and isinstance(column.items, Lists):  # a grid, as one list of its cells
            column = Lists(column.items.offsets[column.offsets], column.items.items)
        if isinstance(column, Lists):
            assert isinstance(column.items, Dense)
            first, last = int(column.offsets[0]), int(column.offsets[-1])
            parts.append(
                column.items.take(np.arange(first, last))
                if (first, last) != (0, len(column.items))
                else column.items
            )
            sizes.append(np.diff(column.offsets))
        else:
            assert isinstance(column, Dense)
            parts.append(column)
            sizes.append(np.ones(len(column), np.int64))
    counts = np.stack(sizes, axis=1)
    data = parts[0].data if len(parts) == 1 else np.concatenate([part.data for part in parts])
    starts = np.cumsum([0] + [len(part) for part in parts])[:-1]
    begins = np.stack(
        [np.cumsum(own) - own + start for own, start in zip(sizes, starts, strict=True)], axis=1
    )
    flat = counts.ravel()
    within = np.arange(flat.sum()) - np.repeat(np.cumsum(flat) - flat, flat)
    places = within + np.repeat(begins.ravel(), flat)
    return Dense(parts[0].type, data), places.astype(np.int64), counts.sum(axis=1)


def train_plain(
    look: Look,
    train: Examples,
    held: Examples,
    rng: np.random.Generator,
    *,
    cpu_seconds: float,
    deadline: float = math.inf,
) -> PlainResult:
    """Train plain networks, and see what the best of them answers of held-out examples.

    Args:
        look: Where the images stand.
        train: What they learn from.
        held: What the best is measured on.
        rng: Source of randomness.
        cpu_seconds: What all may take.
        deadline: `time.monotonic()` time to end by.
    """
    began = time.process_time()
    data = _Images.of(look, train)
    counts = data.counts
    if (counts == 1).all():
        variants: tuple[Variant, ...] = _ALONE
    else:
        wide = train.target.type == INT and len(set(train.target.to_list())) > 2
        variants = _LISTS + (_NUMBERS if wide else ())
    share, least, most = _CHOSEN_ON
    order = rng.permutation(np.flatnonzero(counts > 0))
    chosen_on = int(min(max(share * len(order), least), most, 0.5 * len(order))) if len(variants) > 1 else 0
    checks, rows = order[:chosen_on], order[chosen_on:]
    rungs = _RUNGS if len(rows) >= _FEW else _NEAR_RUNGS
    left = list(variants)
    room = sum(part * n for part, n in zip(rungs, _sizes(len(left), len(rungs)), strict=True))
    rivals: list[tuple[str, int, float]] = []
    curves: dict[Variant, list[tuple[int, float]]] = {v: [] for v in variants}
    tested = _Images.of(look, held)
    network: _Plain | None = None
    steps = 0
    for part, wanted in zip(rungs, _sizes(len(left), len(rungs)), strict=True):
        left = left[:wanted]
        some = rows[: max(2, round(part * len(rows)))] if part < 1 else order
        scores: dict[Variant, float] = {}
        for variant in left:
            network = _Plain(variant, look, data, some, rng)
            steps = network.train(cpu_seconds * part / room, deadline)
            curves[variant].append((len(some), network.right(tested)))
            if len(left) > 1:
                scores[variant] = network.right(data, checks)
                rivals.append((variant.name, len(some), scores[variant]))
        left.sort(key=lambda v: -scores.get(v, 0.0))
    assert network is not None
    best, name = network, left[0].name
    return PlainResult(
        curves[left[0]][-1][1],
        steps,
        time.process_time() - began,
        name,
        tuple(curves[left[0]]),
        tuple(rivals),
        lambda inputs: best.answers(
            _Images.of(look, Examples(inputs, held.target.take(np.zeros(0, np.int64))))
        ),
    )


def _sizes(variants: int, rungs: int) -> list[int]:
    """How many variants take part in each rung: all, then half, one on the last."""
    found = [variants]
    while len(found) < rungs:
        found.append(max(1, found[-1] // 2))
    return [*found[:-1], 1]


@dataclass(frozen=True)
class _Images:
    """Examples as images, ready for the eye: where those of each example are, how many it has, and its answer."""

    ready: Any
    places: IntArray
    counts: IntArray
    answers: list[Any]

    @classmethod
    def of(cls, look: Look, examples: Examples) -> _Images:
        import torch

        kind, settings = _eye_of(look)
        images, places, counts = images_of(look, examples.inputs)
        ready = torch.from_numpy(kind.prepare([images], settings))
        return cls(ready, places, counts, examples.target.to_list())


def _eye_of(look: Look) -> tuple[GradientKind, Settings]:
    """What looks at each image, as a reader of a program would."""
    node = reader_of(look.image, 2, "plain")
    kind = KINDS.find(node.kind)
    assert isinstance(kind, GradientKind)
    return kind, settings_of(kind, node.settings)


class _Plain:
    """One plain network.

    Args:
        variant: Which.
        look: Where the images stand.
        data: All examples.
        rows: Which of them it learns from.
        rng: Source of randomness.
    """

    def __init__(
        self, variant: Variant, look: Look, data: _Images, rows: IntArray, rng: np.random.Generator
    ) -> None:
        from meristem.modules._torch import calm_torch, seed_from

        self.variant, self.data, self.rows, self.rng = variant, data, rows, rng
        own = [data.answers[row] for row in rows.tolist()]
        self.labels = list(dict.fromkeys(own))
        numbers = np.array(own, np.float64) if variant.number else np.zeros(1)
        self.middle, self.spread = float(numbers.mean()), float(numbers.std()) or 1.0
        place = {label: k for k, label in enumerate(self.labels)}
        self.wanted = np.array([place.get(answer, -1) for answer in data.answers])
        self.values = np.array(data.answers, np.float64) if variant.number else np.zeros(0)
        self.kind, self.settings = kind, _ = _eye_of(look)
        width = kind.width_of_features([look.image], self.settings)
        scores = 1 if variant.number else max(len(self.labels), 2)
        with calm_torch(seed_from(rng)) as torch:
            eye = kind.build([look.image], vector_of(width), self.settings, rng)
            if variant.kind:
                over = KINDS.find(variant.kind)
                assert isinstance(over, GradientKind)
                output = Type("real") if variant.number else class_of(*map(str, range(scores)))
                rest = over.build([list_of(vector_of(width))], output, settings_of(over, {}), rng)
            else:
                rest = torch.nn.Linear(width, scores)
            self.parts = torch.nn.ModuleList([eye, rest])

    def train(self, cpu_seconds: float, deadline: float) -> int:
        """Train for so long; gives the number of batches."""
        from meristem.modules._torch import calm_torch, one_cycle, seed_from

        peak = _PEAK.get(self.variant.kind, _USUAL_PEAK)
        size = max(4, min(len(self.rows), round(_IMAGES / max(float(self.data.counts.mean()), 1.0))))
        order = batches(len(self.rows), size, self.rng)
        with calm_torch(seed_from(self.rng)) as torch:
            optimizer = torch.optim.AdamW(self.parts.parameters(), lr=peak, weight_decay=1e-2)
            self.parts.train()
            began, steps = time.process_time(), 0
            while True:
                share = (time.process_time() - began) / max(cpu_seconds, 1e-9)
                if share >= 1 or time.monotonic() > deadline:
                    break
                rate, momentum = one_cycle(share, peak)
                for each in optimizer.param_groups:
                    each["lr"], each["betas"] = rate, (momentum, 0.999)
                rows = self.rows[next(order)]
                found = self._scores(self.data, rows, True)
                if self.variant.number:
                    target = (self.values[rows] - self.middle) / self.spread
                    loss = torch.nn.functional.mse_loss(found[:, 0], torch.from_numpy(target).float())
                else:
                    loss = torch.nn.functional.cross_entropy(found, torch.from_numpy(self.wanted[rows]))
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                steps += 1
            self.parts.eval()
        return steps

    def answers(self, data: _Images, rows: IntArray | None = None) -> list[Any]:
        """What it answers of examples; None for those without images."""
        import torch

        rows = np.arange(len(data.counts)) if rows is None else rows
        found: list[Any] = [None] * len(rows)
        usable = np.flatnonzero(data.counts[rows] > 0)
        with torch.no_grad():
            for k in range(0, len(usable), _AT_ONCE):
                at = usable[k : k + _AT_ONCE]
                scores = self._scores(data, rows[at], False).double().numpy()
                if self.variant.number:
                    own: list[Any] = np.rint(scores[:, 0] * self.spread + self.middle).astype(int).tolist()
                else:
                    best = scores[:, : len(self.labels)].argmax(axis=1)
                    own = [self.labels[label] for label in best.tolist()]
                for place, answer in zip(at.tolist(), own, strict=True):
                    found[place] = answer
        return found

    def right(self, data: _Images, rows: IntArray | None = None) -> float:
        """The share of examples that it answers."""
        wanted = data.answers if rows is None else [data.answers[row] for row in rows.tolist()]
        pairs = zip(self.answers(data, rows), wanted, strict=True)
        return float(np.mean([found is not None and found == answer for found, answer in pairs]))

    def _scores(self, data: _Images, rows: IntArray, train: bool) -> Any:
        import torch

        eye, rest = self.parts
        ends = np.cumsum(data.counts)
        own = data.counts[rows]
        index = np.concatenate([data.places[ends[r] - n : ends[r]] for r, n in zip(rows, own, strict=True)])
        batch = data.ready[torch.from_numpy(index)]
        seen = eye(self.kind.augment(batch, self.settings, self.rng) if train else batch)
        if not self.variant.kind:
            return rest(seen)
        seen = torch.cat([seen, torch.ones((len(seen), 1))], dim=1)  # says that there is an item
        return rest(torch.nn.utils.rnn.pad_sequence(list(torch.split(seen, own.tolist())), batch_first=True))


__all__ = ["PlainResult", "Variant", "images_of", "labels_to_turn", "train_plain"]
