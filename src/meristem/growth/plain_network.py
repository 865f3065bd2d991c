"""The plain network beside a program: images to features, a recurrent cell over them, classes of answers.

What a competent person would train without any program: every answer that occurs is a class. It learns what it can
from the same examples, so a program has something to be better than.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.language.kinds import KINDS, GradientKind, settings_of
from meristem.search.hybrid.readings import Look, reader_of
from meristem.training.rows import Examples
from meristem.types import vector_of
from meristem.values import Column, Dense, Lists, Pairs

IntArray = NDArray[np.int64]
_HIDDEN = 64
_IMAGES = 96  # a batch
_PEAK = 4e-3


@dataclass(frozen=True)
class PlainResult:
    """How a plain network did.

    Args:
        accuracy: The share of held-out examples that it answers.
        steps: Batches it was trained on.
        cpu_seconds: What it took.
    """

    accuracy: float
    steps: int
    cpu_seconds: float


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
    """Train a plain network, and see what it answers of held-out examples.

    Args:
        look: Where the images stand.
        train: What it learns from.
        held: What it is measured on.
        rng: Source of randomness.
        cpu_seconds: What it may take.
        deadline: `time.monotonic()` time to end by.
    """
    from meristem.modules._torch import calm_torch, one_cycle, seed_from

    began = time.process_time()
    images, places, counts = images_of(look, train.inputs)
    starts = np.concatenate([[0], np.cumsum(counts)])
    values = [repr(v) for v in train.target.to_list()]
    labels = {v: k for k, v in enumerate(dict.fromkeys(values))}
    wanted = np.array([labels[v] for v in values])
    node = reader_of(look.image, 2, "plain")
    kind = KINDS.find(node.kind)
    assert isinstance(kind, GradientKind)
    settings = settings_of(kind, node.settings)
    width = kind.width_of_features([look.image], settings)
    with calm_torch(seed_from(rng)) as torch:
        eye = kind.build([look.image], vector_of(width), settings, rng)
        cell = torch.nn.GRU(width, _HIDDEN, batch_first=True)
        head = torch.nn.Linear(_HIDDEN, len(labels))
        parts = torch.nn.ModuleList([eye, cell, head])
        optimizer = torch.optim.AdamW(parts.parameters(), lr=_PEAK, weight_decay=1e-2)
        ready = torch.from_numpy(kind.prepare([images], settings))

        def scores(
            rows: IntArray, of: Any, at: IntArray, begins: IntArray, sizes: IntArray, train: bool
        ) -> Any:
            own = sizes[rows]
            index = np.concatenate([at[begins[r] : begins[r] + n] for r, n in zip(rows, own, strict=True)])
            batch = of[torch.from_numpy(index)]
            seen = eye(kind.augment(batch, settings, rng) if train else batch)
            padded = torch.nn.utils.rnn.pad_sequence(list(torch.split(seen, own.tolist())), batch_first=True)
            out, _ = cell(padded)
            return head(out[torch.arange(len(rows)), torch.from_numpy(np.maximum(own - 1, 0))])

        usable = np.flatnonzero(counts > 0)
        size = max(4, min(len(usable), round(_IMAGES / max(float(counts.mean()), 1.0))))
        steps = 0
        parts.train()
        while True:
            share = max((time.process_time() - began) / cpu_seconds, 0.0)
            if share >= 1 or time.monotonic() > deadline or not len(usable):
                break
            rate, momentum = one_cycle(share, _PEAK)
            for each in optimizer.param_groups:
                each["lr"], each["betas"] = rate, (momentum, 0.999)
            rows = rng.choice(usable, size, replace=False)
            loss = torch.nn.functional.cross_entropy(
                scores(rows, ready, places, starts, counts, True), torch.from_numpy(wanted[rows])
            )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            steps += 1
        parts.eval()
        images, places, counts = images_of(look, held.inputs)
        starts = np.concatenate([[0], np.cumsum(counts)])
        ready = torch.from_numpy(kind.prepare([images], settings))
        truth = np.array([labels.get(repr(v), -1) for v in held.target.to_list()])
        right = np.zeros(len(truth), np.bool_)
        usable = np.flatnonzero(counts > 0)
        with torch.no_grad():
            for k in range(0, len(usable), 256):
                rows = usable[k : k + 256]
                right[rows] = (
                    scores(rows, ready, places, starts, counts, False).argmax(1).numpy() == truth[rows]
                )
    return PlainResult(float(right.mean()), steps, time.process_time() - began)


__all__ = ["PlainResult", "images_of", "train_plain"]
