"""Tasks from files: folders and archives of images and sounds, arrays, idx files, and what is wrong with them."""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
import wave
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import meristem as ms
from meristem.errors import InputError, MissingDependency
from meristem.reading.idx import read_idx
from meristem.reading.media import read_image, read_sound
from meristem.types import parse_type

rng = np.random.default_rng(0)


def png(pixels: Any, kind: str = "PNG", **options: Any) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(stream, kind, **options)
    return stream.getvalue()


def wav(samples: Any, rate: int = 8000, width: int = 2, channels: int = 1) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples).tobytes() if not isinstance(samples, bytes) else samples)
    return stream.getvalue()


def folder(place: Path, files: Mapping[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return place


PICTURES = {f"{k}.png": png(np.full((6, 7), 10 * k)) for k in range(4)}


def types_of(task: ms.ArrayTask) -> str:
    return ", ".join(f"{n}: {t}" for n, t in task.input_types.items()) + f" -> {task.answers.type}"


def shade(image: Any) -> int:
    return round(float(image.mean()) * 255)


def test_a_folder_with_a_list_of_labels(tmp_path: Path) -> None:
    place = folder(
        tmp_path / "signs", {**PICTURES, "labels.csv": "file,label\n3.png,stop\n0.png,go\n1.png,stop\n"}
    )
    task = ms.Task.from_files(place)
    assert task.name == "signs"
    assert task.output == "label"
    assert types_of(task) == "image: image[6, 7, 1] -> class[go, stop]"
    assert task.answers.to_list() == ["stop", "go", "stop"]
    assert [shade(image) for image in task.inputs["image"].to_list()] == [30, 0, 10]


def test_several_files_in_a_row_are_a_list(tmp_path: Path) -> None:
    table = "a;b;c;answer\n0.png;1.png;;3\n2.png;;;1\n0.png;1.png;3.png;7\n;;;0\n"
    task = ms.Task.from_files(folder(tmp_path, {**PICTURES, "sums.csv": table}))
    assert types_of(task) == "images: list[image[6, 7, 1]] -> int"
    assert [[shade(i) for i in row] for row in task.inputs["images"].to_list()] == [
        [0, 10],
        [20],
        [0, 10, 30],
        [],
    ]
    assert task.answers.to_list() == [3, 1, 7, 0]


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz"])
def test_archives_are_read_as_folders(tmp_path: Path, ending: str) -> None:
    place = tmp_path / f"signs{ending}"
    files = {f"deep/{n}": data for n, data in PICTURES.items()}
    files |= {"deep/labels.csv": b"0.png,1\n2.png,0\n", "__MACOSX/deep/._0.png": b"x"}
    if ending == ".zip":
        with zipfile.ZipFile(place, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(place, "w:gz" if ending.endswith("gz") else "w") as packed:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                packed.addfile(info, io.BytesIO(data))
    before = sorted(tmp_path.iterdir())
    task = ms.Task.from_files(place)
    assert types_of(task) == "image: image[6, 7, 1] -> int"
    assert [shade(image) for image in task.inputs["image"].to_list()] == [0, 20]
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    files = {f"letters/{'ab'[k % 2]}/{name}": data for k, (name, data) in enumerate(PICTURES.items())}
    task = ms.Task.from_files(folder(tmp_path, files))
    assert types_of(task) == "image: image[6, 7, 1] -> class[a, b]"
    assert sorted(zip(task.answers.to_list(), map(shade, task.inputs["image"].to_list()), strict=True)) == [
        ("a", 0),
        ("a", 20),
        ("b", 10),
        ("b", 30),
    ]


def test_sounds_with_speakers(tmp_path: Path) -> None:
    clips = {f"{k}.wav": wav(np.full(100 + 10 * k, 16384, np.int16)) for k in range(3)}
    table = "file,digit,speaker,frames\n0.wav,7,ann,100\n1.wav,3,bob,110\n2.wav,7,ann,120\n"
    place = folder(tmp_path, {**clips, "labels.csv": table})
    with pytest.raises(InputError, match=r"got 'digit', 'speaker', 'frames'; say which: target="):
        ms.Task.from_files(place)
    task = ms.Task.from_files(place, target="digit", group="speaker")
    assert types_of(task) == "signal: signal[120, 1] -> int"
    assert task.groups is not None
    assert task.groups.tolist() == [0, 1, 0]
    said = " ".join(f.text for f in task.findings)
    assert "8,000 samples a second" in said
    assert "'frames'" in said
    assert "silence was added" in said
    assert types_of(ms.Task.from_files(place, target="digit", resize=50)) == "signal: signal[50, 1] -> int"


def test_arrays_in_npz(tmp_path: Path) -> None:
    place = tmp_path / "sums.npz"
    images = rng.integers(0, 256, (4, 5, 5)).astype(np.uint8)
    np.savez(place, images=images, label=[1, 2, 3, 4], other=np.zeros(2))
    task = ms.Task.from_files(place)
    assert types_of(task) == "images: image[5, 5, 1] -> int"
    assert "'other'" in task.findings[0].text
    np.savez(place, items=images, lengths=[2, 0, 2], y=[1, 2, 3])
    lists = ms.Task.from_files(place)
    assert types_of(lists) == "items: list[image[5, 5, 1]] -> int"
    assert [len(row) for row in lists.inputs["items"].to_list()] == [2, 0, 2]
    np.savez(place, a=images, b=images, answer=[1, 2, 3, 4])
    assert types_of(ms.Task.from_files(place)) == "a: image[5, 5, 1], b: image[5, 5, 1] -> int"


def idx(array: Any) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    return head + np.asarray(array, np.uint8).tobytes()


def test_idx_files(tmp_path: Path) -> None:
    images = rng.integers(0, 256, (5, 4, 4))
    labels = np.array([3, 1, 4, 1, 5])
    files = {
        "train-images-idx3-ubyte.gz": gzip.compress(idx(images)),
        "train-labels-idx1-ubyte.gz": gzip.compress(idx(labels)),
        "t10k-images-idx3-ubyte": idx(images[:2]),
        "t10k-labels-idx1-ubyte": idx(labels[:2]),
    }
    place = folder(tmp_path, files)
    task = ms.Task.from_files(place)
    assert types_of(task) == "image: image[4, 4, 1] -> int"
    assert task.answers.to_list() == labels.tolist()
    np.testing.assert_array_equal(read_idx(place / "train-images-idx3-ubyte.gz"), images)
    task = ms.Task.from_files(place / "t10k-images-idx3-ubyte", types="image[_, _, 1] -> class[10]")
    assert task.answers.to_list() == ["3", "1"]


def test_kinds_of_pictures() -> None:
    gray = np.arange(30).reshape(5, 6)
    assert read_image(png(gray), "x").tolist() == gray[:, :, None].tolist()
    assert read_image(png(np.stack([gray] * 3, axis=2)), "x").shape == (5, 6, 1)  # gray stored in colours
    colours = rng.integers(0, 255, (5, 6, 3))
    assert read_image(png(colours), "x").tolist() == colours.tolist()
    assert read_image(png(colours, "JPEG"), "x").shape == (5, 6, 3)
    clear = np.zeros((5, 6, 4))
    assert read_image(png(clear), "x").min() == 255  # black that is wholly transparent: the white behind it
    with pytest.raises(InputError, match="damaged or no image"):
        read_image(png(colours)[:60], "x")
    with pytest.raises(InputError, match="damaged or no image"):
        read_image(b"hello", "x")


def test_a_picture_that_unpacks_to_very_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meristem.reading.media._MOST_PIXELS", 20)
    with pytest.raises(InputError, match="at most 20 pixels, 'x' has 30"):
        read_image(png(np.zeros((5, 6))), "x")


def test_kinds_of_sounds() -> None:
    for width, samples in (
        (1, np.array([0, 128, 192], np.uint8)),
        (2, np.array([-32768, 0, 16384], "<i2")),
        (3, b"\x00\x00\x80" + b"\x00\x00\x00" + b"\x00\x00\x40"),
        (4, np.array([-(2**31), 0, 2**30], "<i4")),
    ):
        found, rate = read_sound(wav(samples, 16000, width), "x")
        assert rate == 16000
        np.testing.assert_allclose(found[:, 0], [-1, 0, 0.5])
    both, _ = read_sound(wav(np.array([[0, 16384]] * 5, "<i2"), channels=2), "x")
    assert both.shape == (5, 2)
    with pytest.raises(InputError, match="plain"):
        read_sound(b"RIFFxxxx", "x")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.txt": "x"}, "expected PNG, JPEG or WAV files"),
        (PICTURES, "a folder for each class"),
        ({**PICTURES, "l.csv": "file,label\n0.png,1\n1.png,\n"}, "got none in row 2"),
        ({**PICTURES, "l.csv": "file,label\n0.png,1\nnope.png,2\n"}, "not in .*'nope.png'"),
        ({**PICTURES, "l.csv": "file,label\na.png,1\nb.png,2\n"}, "which is not among them"),
        ({**PICTURES, "l.csv": "file,label\n"}, "a header only"),
        ({**PICTURES, "l.csv": "file\n0.png\n"}, "columns for files and an answer"),
        ({**PICTURES, "l.csv": "0.png,1\n", "m.csv": "0.png,2\n"}, "expected one list of labels"),
        ({**PICTURES, "l.csv": "0.png,1\n1.png,1\n"}, "nothing can be learned"),
        ({**PICTURES, "l.csv": b"\xff\xfe0.png,1\n"}, "UTF-8"),
        ({**PICTURES, "4.png": png(np.zeros((9, 9))), "l.csv": "0.png,1\n4.png,2\n"}, r"pass resize="),
        ({**PICTURES, "s.wav": wav(b"\0\0"), "l.csv": "0.png,1\ns.wav,2\n"}, "images only or sounds only"),
        (
            {"a.wav": wav(b"\0\0" * 9), "b.wav": wav(b"\0\0" * 9, 44100), "l.csv": "a.wav,1\nb.wav,2\n"},
            "sounds of one rate",
        ),
        ({"a.png": b"no", "b.png": b"no", "l.csv": "a.png,1\nb.png,2\n"}, "cannot read the image 'a.png'"),
    ],
)
def test_what_is_wrong_with_a_folder(tmp_path: Path, files: Mapping[str, bytes | str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ms.Task.from_files(folder(tmp_path, files))


def test_what_is_wrong_with_files(tmp_path: Path) -> None:
    place = tmp_path / "x.npz"
    np.savez(place, a=np.zeros((3, 4)))
    with pytest.raises(InputError, match="expected an array of answers"):
        ms.Task.from_files(place)
    np.savez(place, a=np.array([{}, {}]), y=[1, 2])
    with pytest.raises(InputError, match="could run code"):
        ms.Task.from_files(place)
    np.savez(place, a=np.zeros((3, 4)), y=[1, 2])
    with pytest.raises(InputError, match="as many rows"):
        ms.Task.from_files(place)
    place.write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(InputError, match="cannot read"):
        ms.Task.from_files(place)
    damaged = tmp_path / "train-images-idx3-ubyte"
    damaged.write_bytes(idx(np.zeros((5, 4, 4)))[:-3])
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(5)))
    with pytest.raises(InputError, match="is damaged: expected 80 bytes"):
        ms.Task.from_files(damaged)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match=r"labels=\.\.\."):
        ms.Task.from_files(damaged)
    with pytest.raises(InputError, match="no file or folder"):
        ms.Task.from_files(tmp_path / "nowhere")
    with pytest.raises(InputError, match="from_arrays"):
        ms.Task.from_files(np.zeros(3))
    with pytest.raises(InputError, match=r"a folder, a \.zip or a \.tar"):
        ms.Task.from_files(__file__)


def test_without_pillow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder(tmp_path, {**PICTURES, "l.csv": "0.png,1\n1.png,2\n"})
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingDependency, match=r"meristem\[images\]"):
        ms.Task.from_files(place)


def test_the_shared_digits_and_sounds() -> None:
    shared = Path(__file__).parents[2].parent / "shared" / "data"
    if not shared.exists():
        pytest.skip("the shared data is not here")
    task = ms.Task.from_files(shared / "images" / "mnist" / "t10k-images-idx3-ubyte.gz")
    assert types_of(task) == "image: image[28, 28, 1] -> int"
    assert len(task) == 10_000
    sounds = ms.Task.from_files(
        shared / "signals" / "spoken_digits" / "recordings.tar", target="digit", resize=8000
    )
    assert sounds.input_types["signal"] == parse_type("signal[8000, 1]")
    assert len(sounds) == 3000
