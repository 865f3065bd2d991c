"""Tiny made-up images and sounds that tests learn from in a second."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Five signs of 4 x 4 dots.
SHAPES = ["0110100110011001", "0010011000100111", "1110001001001111", "1111100011100001", "1001100111110001"]


def glyphs(
    count: int, rng: np.random.Generator, side: int = 12
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """So many images [side, side] of five signs (4 x 4 dots, doubled in size), moved and noisy, and which they are."""
    labels = rng.integers(0, len(SHAPES), count)
    images = rng.integers(0, 60, (count, side, side))
    for k, label in enumerate(labels.tolist()):
        dots = np.array([int(c) for c in SHAPES[label]]).reshape(4, 4).repeat(2, 0).repeat(2, 1)
        down, right = rng.integers(0, side - 7, 2)
        images[k, down : down + 8, right : right + 8] += dots * int(rng.integers(120, 190))
    return images.astype(np.uint8), labels


def tones(
    count: int, rng: np.random.Generator, samples: int = 1200
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """So many clips [samples, 1] at 8 kHz of a tone that rises, falls or stays, and which it is."""
    labels = rng.integers(0, 3, count)
    time = np.arange(samples) / 8000
    slope = np.array([-1, 0, 1])[labels] * rng.uniform(3000, 5000, count)
    pitch = rng.uniform(800, 1400, count) + np.where(labels == 0, 800, 0)
    phase = 2 * np.pi * (pitch[:, None] * time + slope[:, None] * time**2 / 2)
    sound = np.sin(phase) * rng.uniform(0.1, 0.8, count)[:, None] + rng.normal(size=(count, samples)) * 0.01
    return sound[..., None].astype(np.float32), labels


def lists_of(
    items: NDArray[Any], values: NDArray[np.int64], lengths: Any
) -> tuple[list[list[Any]], list[list[int]]]:
    """Items and their values dealt out into lists of these lengths, in order."""
    ends = np.cumsum(lengths)
    spans = list(zip((ends - lengths).tolist(), ends.tolist(), strict=True))
    return [list(items[a:b]) for a, b in spans], [values[a:b].tolist() for a, b in spans]
