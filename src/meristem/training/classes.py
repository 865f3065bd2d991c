"""Training one network to tell classes apart, from new or from what another has learned."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.language.kinds import Arrays, Settings, class_total
from meristem.modules._network import SMOOTHING, NetworkKind, batches
from meristem.types import Type, class_of

IntArray = NDArray[np.int64]
BATCH = 64
_LEAST, _MOST = 600, 4000


def steps_for(rows: int) -> int:
    """Batches of 64 for so many rows, varied each time they come: 600, 1,000, 2,500 for 100, 400, 4,000.

    Many times over, since they are never quite the same: on 120 and on 200 drawings of letters 1,200 batches were 6 to
    7 points better than 400.
    """
    return max(_LEAST, min(_MOST, round(1000 * math.pow(rows / 400, 0.4))))


class _Stopped(Exception):
    pass


def train_classes(
    kind: NetworkKind,
    settings: Settings,
    image: Type,
    output: Type,
    prepared: NDArray[Any],
    classes: IntArray,
    rng: np.random.Generator,
    *,
    steps: int,
    peak: float = 4e-3,
    init: Mapping[str, NDArray[Any]] | None = None,
    deadline: float = math.inf,
    turned: bool = False,
    stop: Callable[[], bool] | None = None,
) -> tuple[Arrays, float]:
    """Train a network on labelled rows.

    Args:
        kind: Of network.
        settings: Every choice of it.
        image: The type of what it looks at.
        output: The classes.
        prepared: What `kind.prepare` gave, [N, ...].
        classes: The class of each, [N].
        rng: Source of all randomness.
        steps: Batches.
        peak: The highest learning rate: lower where it starts from what was learned before.
        init: Arrays to start from; a head that does not fit begins anew.
        deadline: `time.monotonic()` time to end by; the learning rate then comes down in time.
        turned: Whether square images turned by a quarter, a half and three quarters are learned as classes of their
            own, which are forgotten in the end: four times as many classes make features that suit others too. Then
            labels are not smoothed, which is good for these classes and bad for others (Kornblith and others 2021):
            without it one drawing of a new letter told it in 79 of 100 cases, with it in 76.
        stop: Asked before each step; training ends when it says so.

    Returns:
        All that it has learned, and the mean loss of the last tenth of the steps.
    """
    from meristem.modules._torch import calm_torch, device, optimise, seed_from

    count = class_total(output)
    learned = class_of(*map(str, range(4 * count))) if turned else output
    network = kind.build([image], learned, settings, rng)
    if init:
        kind.load_into(network, init)
    losses: list[float] = []
    with calm_torch(seed_from(rng)) as torch:
        place = device()
        network.to(place)
        rows = torch.from_numpy(prepared).to(place)
        wanted = torch.from_numpy(classes.astype(np.int64)).to(place)
        order = batches(len(prepared), min(BATCH, max(len(prepared), 2)), rng)

        def loss_of(step: int) -> Any:
            if stop is not None and stop():
                raise _Stopped
            chosen = torch.from_numpy(next(order)).to(place)
            batch, classes_of_it = rows[chosen], wanted[chosen]
            if turned:
                quarters = int(rng.integers(4))
                batch = torch.rot90(batch, quarters, (2, 3))
                classes_of_it = classes_of_it + quarters * count
            scores = network(kind.augment(batch, settings, rng))
            loss = torch.nn.functional.cross_entropy(
                scores, classes_of_it, label_smoothing=0.0 if turned else SMOOTHING
            )
            losses.append(float(loss.detach()))
            return loss

        with suppress(_Stopped):
            optimise(network, loss_of, steps, peak=peak, deadline=deadline)
        network.eval()
        arrays = kind.arrays_of(network)
    if turned:
        last = len(kind.layers(prepared.shape[1:], settings, output)) - 1
        for name in (f"{last}.weight", f"{last}.bias"):
            arrays[name] = arrays[name][:count]
    return arrays, float(np.mean(losses[-max(1, len(losses) // 10) :])) if losses else math.nan


def varied(
    kind: NetworkKind, settings: Settings, prepared: NDArray[Any], copies: int, rng: np.random.Generator
) -> NDArray[Any]:
    """Rows as they might have looked as well, `copies` times each: [copies, N, ...]."""
    from meristem.modules._torch import need_torch

    torch = need_torch()
    rows = torch.from_numpy(prepared)
    if not copies:
        return np.zeros((0, *prepared.shape), np.float32)
    return np.stack([kind.augment(rows.clone(), settings, rng).numpy() for _ in range(copies)])


__all__ = ["BATCH", "steps_for", "train_classes", "varied"]
