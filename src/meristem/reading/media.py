"""Images and sounds as arrays, from the bytes of their files."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError, MissingDependency

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
SOUNDS = (".wav",)
_MOST_PIXELS = 50_000_000  # of one image: a stranger's file may unpack to far more than it is
_MOST_SAMPLES = 100_000_000


def read_image(data: bytes, name: str) -> NDArray[np.uint8]:
    """The pixels of an image file, bytes [height, width, channels]: 1 channel where it is gray, 3 where it has colours.

    Transparent pixels are put on white; of an animation the first picture counts.

    Raises:
        MissingDependency: Pillow is not installed.
        InputError: It is no image, damaged, or too large.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependency("pillow", "reading image files", "images") from None
    try:
        with Image.open(io.BytesIO(data)) as image:
            wide, high = image.size
            if wide * high > _MOST_PIXELS:
                raise InputError(
                    f"expected an image of at most {_MOST_PIXELS:,} pixels, {name!r} has {wide * high:,}"
                )
            if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
                clear = image.convert("RGBA")
                ground = Image.new("RGBA", clear.size, "white")
                whole: Any = Image.alpha_composite(ground, clear).convert("RGB")
                gray = image.mode == "LA"
            else:
                whole, gray = image, image.mode in ("1", "L", "I", "I;16", "F")
            if image.mode in ("I", "I;16", "F"):
                raise InputError(
                    f"expected an image of 8 bits a channel, {name!r} has the mode {image.mode}; convert it, or pass "
                    "arrays"
                )
            pixels = np.asarray(whole.convert("L" if gray else "RGB"), np.uint8)
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, EOFError) as error:
        raise InputError(
            f"cannot read the image {name!r}: {error}; the file is damaged or no image"
        ) from None
    if not gray and bool((pixels == pixels[:, :, :1]).all()):
        pixels, gray = pixels[:, :, 0], True  # gray that was stored in colours
    return pixels[:, :, None] if gray else pixels


def read_sound(data: bytes, name: str) -> tuple[NDArray[np.float32], int]:
    """The samples of a WAV file, [time, channels] from -1 to 1, and its rate in Hz.

    Raises:
        InputError: It is no WAV file of plain samples, damaged, or too long.
    """
    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate, frames = file.getparams()[:4]
            if frames * channels > _MOST_SAMPLES:
                raise InputError(
                    f"expected a sound of at most {_MOST_SAMPLES:,} samples, {name!r} has {frames * channels:,}"
                )
            raw = file.readframes(frames)
    except InputError:
        raise
    except (wave.Error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"cannot read the sound {name!r}: {error}; expected a WAV file of plain (PCM) samples, convert it"
        ) from None
    if width not in (1, 2, 3, 4) or not channels:
        raise InputError(f"expected samples of 8, 16, 24 or 32 bits in {name!r}, got {8 * width}")
    raw = raw[: len(raw) // (width * channels) * width * channels]
    if width == 1:
        samples = (np.frombuffer(raw, np.uint8).astype(np.float32) - 128) / 128
    elif width == 3:  # put a zero byte below each: 32 bits then
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        samples = wide.view("<i4")[:, 0].astype(np.float32) / 2**31
    else:
        samples = np.frombuffer(raw, f"<i{width}").astype(np.float32) / 2 ** (8 * width - 1)
    return samples.astype(np.float32).reshape(-1, channels), rate


__all__ = ["IMAGES", "SOUNDS", "read_image", "read_sound"]
