"""What a program saw in its examples, as data and as a picture."""

from __future__ import annotations

import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest

import meristem as ms
from meristem.language import KINDS, GradientKind, modules_of, parse_term, settings_of
from meristem.model import Program, ProgramModel
from meristem.model.seen import SeenExample, SeenImage, Sighting, seen_examples
from meristem.model.seen_picture import png_of, seen_picture
from meristem.types import parse_type

pytest.importorskip("torch")
IMAGE = parse_type("image[8, 8, 1]")


def total(text: str = "sum(map(x => class_number(convnet{; class[3]}@eye(x)), a))") -> ProgramModel:
    """A program with an eye that was never trained: what it sees is arbitrary, but always the same."""
    rng = np.random.default_rng(3)
    images = [rng.uniform(0, 1, (n, 8, 8)) for n in (2, 3, 1)]
    task = ms.Task.from_arrays(images, [0, 1, 2], names="a")
    term = parse_term(text)
    kind = KINDS.find("convnet")
    assert isinstance(kind, GradientKind)
    (node, *_) = modules_of(term)
    assert node.output is not None
    network = kind.build([IMAGE], node.output, settings_of(kind, {}), np.random.default_rng(1)).eval()
    program = Program(
        term, task.input_types, task.answers.type, {node.slot: kind.arrays_of(network)}, exact=True
    )
    return ProgramModel(program, "a <total>", "sum", task.inputs, task.answers, {})


def test_it_is_what_the_program_goes_by() -> None:
    model = total()
    examples = seen_examples(model)
    assert [len(each.images) for each in examples] == [2, 3, 1]
    answers = model.predict(model.examples["a"].to_list())
    for example, answer, label in zip(examples, answers, (0, 1, 2), strict=True):
        read = [int(image.sightings[0].label) for image in example.images]
        assert sum(read) == answer
        assert example.answer == str(answer)
        assert example.right == (answer == label)
        assert example.steps[-1][1] == str(answer)
        for image in example.images:
            (sighting,) = image.sightings
            assert sighting.part == "eye"
            assert sighting.sure is not None
            assert 1 >= sighting.sure >= sighting.other_sure > 0
            assert sighting.other != sighting.label


def test_the_picture_shows_images_classes_steps_and_mistakes() -> None:
    model = total()
    examples = seen_examples(model)
    root = ElementTree.fromstring(model.seen())
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}image")) == 6
    texts = [node.text or "" for node in root.iter(f"{space}text")]
    assert sum(text == "mistake" for text in texts) == sum(not each.right for each in examples) > 0
    assert sum("sum(#1)" in text for text in texts) == 3
    assert seen_picture([]) == ""


def test_names_are_escaped() -> None:
    assert "a &lt;total&gt;" in total().seen()
    odd = SeenExample(
        (SeenImage(np.zeros((2, 2, 1)), (Sighting("<b>", "</text>", 0.5, "&", 0.4),)),), (), "<", "1", False
    )
    root = ElementTree.fromstring(seen_picture([odd], "<script>"))
    texts = [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "</text>" in texts  # as text
    assert any(text.startswith("or &: 40") for text in texts)


def test_a_program_without_eyes_saw_nothing() -> None:
    task = ms.Task.from_examples([([1, 2], 3), ([4], 4)], names="a")
    program = Program(parse_term("sum(a)"), {"a": parse_type("list[int]")}, parse_type("int"), {}, exact=True)
    assert ProgramModel(program, "total", "sum", task.inputs, task.answers, {}).seen() == ""


@pytest.mark.parametrize("shape", [(4, 6, 1), (5, 3, 3), (600, 300, 1)])
def test_images_are_whole_in_their_png(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape) / 255
    data = png_of(image)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    wide, high, depth, colour = struct.unpack(">IIBB", data[16:26])
    step = 3 if shape[0] > 256 else 1
    assert (high, wide) == image[::step, ::step].shape[:2]
    assert (depth, colour) == (8, 2 if shape[2] == 3 else 0)
    at, body = 33, b""
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        chunk = data[at + 4 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size]) == (zlib.crc32(chunk),)
        body += chunk[4:] if chunk[:4] == b"IDAT" else b""
        at += 12 + size
    rows = np.frombuffer(zlib.decompress(body), np.uint8).reshape(high, -1)
    assert (rows[:, 0] == 0).all()
    assert np.array_equal(rows[:, 1:].reshape(high, wide, -1) / 255, image[::step, ::step])


def test_signals_are_lines_and_no_numbers_are_no_error() -> None:
    wave = SeenExample((SeenImage(np.sin(np.arange(500.0))[:, None], ()),), (("f(x)", "1"),), "1", "1", True)
    root = ElementTree.fromstring(seen_picture([wave]))
    (line,) = root.iter("{http://www.w3.org/2000/svg}polyline")
    assert len(line.attrib["points"].split()) == 120
    assert png_of(np.full((2, 2, 1), np.nan))[:4] == b"\x89PNG"
