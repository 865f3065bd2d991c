"""Log-mel spectra: what of a sound a network looks at. NumPy only, so that prediction needs nothing else.

The power of short windows is summed in bands that are as wide as hearing tells them apart (Stevens, Volkmann and
Newman 1937; the formula is O'Shaughnessy's, 1987), and taken as logarithms below the loudest of the clip: so how loud
a clip is does not count.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

BANDS = 40
_WINDOW = 0.032  # seconds: long enough to tell pitch, short enough for a consonant
_LOWEST = 60.0  # Hz; below is hum
_RANGE = 8.0  # decades of power below the loudest that count: 80 dB
_CHUNK = 256  # clips at once


def window_of(rate: int) -> int:
    """Samples of a window: a power of two of about 32 ms, at least 16."""
    return int(max(16, 2 ** round(np.log2(rate * _WINDOW))))


def frames_of(samples: int, rate: int) -> int:
    """Windows in a clip; each begins half a window after the one before."""
    window = window_of(rate)
    return 1 + max(samples - window, 0) // (window // 2)


def log_mel(clips: NDArray[Any], rate: int) -> NDArray[np.float32]:
    """Spectra [N, C, BANDS, frames] of clips [N, T, C], between 0 (80 dB below the loudest, or silence) and about 1."""
    count, samples, channels = clips.shape
    window = window_of(rate)
    frames = frames_of(samples, rate)
    out = np.zeros((count, channels, BANDS, frames), np.float32)
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    bands = _bands(rate, 2 * window)
    for k in range(0, count, _CHUNK):
        part = np.asarray(clips[k : k + _CHUNK], np.float32).transpose(0, 2, 1)
        if samples < window:
            part = np.pad(part, ((0, 0), (0, 0), (0, window - samples)))
        cut = np.lib.stride_tricks.sliding_window_view(part, window, axis=2)[:, :, :: window // 2]
        power = np.abs(np.fft.rfft(cut * shape, 2 * window, axis=3)).astype(np.float32) ** 2
        level = np.log10(np.maximum(power @ bands, 1e-10))
        loudest = level.max(axis=(1, 2, 3), keepdims=True)
        quiet = np.maximum(loudest - _RANGE, -10.0)
        scaled = (np.maximum(level, quiet) - quiet) / _RANGE
        out[k : k + _CHUNK] = scaled.transpose(0, 1, 3, 2)
    return out


@lru_cache(maxsize=16)
def _bands(rate: int, size: int) -> NDArray[np.float32]:
    """Triangular bands, equally spaced in mel, as weights [size / 2 + 1, BANDS] of the powers."""
    top = rate / 2

    def mel(hertz: float) -> float:
        return 2595.0 * math.log10(1 + hertz / 700.0)

    places = np.linspace(mel(min(_LOWEST, top / 20)), mel(top), BANDS + 2)
    edges = 700.0 * (10 ** (places / 2595.0) - 1)
    hertz = np.linspace(0, top, size // 2 + 1)[:, None]
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    weights: NDArray[np.float32] = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return weights


__all__ = ["BANDS", "frames_of", "log_mel", "window_of"]
