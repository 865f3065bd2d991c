"""Programs with trained parts: run, saved, loaded, read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import meristem as ms
from glyphs import glyphs, lists_of
from meristem.errors import FileFormatError, InputError
from meristem.language import KINDS, FitContext, GradientKind, modules_of, parse_term, settings_of
from meristem.model import Program, ProgramModel, ProgramWarning
from meristem.types import INT, Type, class_of
from meristem.values import Dense, Scalars

FIVE = class_of(*map(str, range(5)))
IMAGE = Type("image", params=(12, 12, 1))
PIXELS, LABELS = glyphs(60, np.random.default_rng(5))


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    kind = KINDS.find("convnet")
    assert isinstance(kind, GradientKind)
    pixels, labels = glyphs(300, np.random.default_rng(0))
    x = Dense(IMAGE, pixels[..., None] / np.float32(255))
    context = FitContext(Scalars(FIVE, labels), np.random.default_rng(0))
    return kind.fit([x], settings_of(kind, {}), context).arrays


def model_of(text: str, task: ms.ArrayTask, arrays: dict[str, Any]) -> ProgramModel:
    term = parse_term(text)
    fit = {node.slot: arrays for node in modules_of(term)}
    program = Program(term, task.input_types, task.answers.type, fit, exact=True)
    program.validate()
    return ProgramModel(program, "total", "sum", task.inputs, task.answers, {})


@pytest.fixture
def total(arrays: dict[str, Any]) -> ProgramModel:
    images, values = lists_of(PIXELS, LABELS, np.array([2, 0, 1, 3]))
    task = ms.Task.from_arrays(images, [sum(v) for v in values], names="images")
    return model_of("sum(map(image => class_number(convnet{; class[5]}@sign(image)), images))", task, arrays)


def test_it_answers_lists_of_arrays(total: ProgramModel) -> None:
    images, values = lists_of(PIXELS, LABELS, np.arange(8))
    expected = [sum(v) for v in values]
    answers = total.predict(images)
    assert sum(a == e for a, e in zip(answers, expected, strict=True)) >= 7
    assert [total(row) for row in images] == answers
    assert total.predict(np.stack(images[3:4])) == answers[3:4]
    assert total([image / 255 for image in images[5]]) == answers[5]  # reals mean the same as bytes
    assert total([]) == 0


def test_it_is_saved_and_loaded(total: ProgramModel, tmp_path: Path) -> None:
    total.save(tmp_path / "total.mst")
    back = ms.load(tmp_path / "total.mst")
    assert isinstance(back, ProgramModel)
    assert back.hash == total.hash
    images, _ = lists_of(PIXELS, LABELS, np.arange(8))
    assert back.predict(images) == total.predict(images)
    np.testing.assert_equal(back.examples["images"].to_list(), total.examples["images"].to_list())


def test_one_reader_serves_several_places(arrays: dict[str, Any]) -> None:
    task = ms.Task.from_arrays({"a": PIXELS[:4], "b": PIXELS[4:8]}, [1, 2, 3, 4])
    text = "subtract(class_number(convnet{; class[5]}@sign(a)), class_number(convnet{; class[5]}@sign(b)))"
    model = model_of(text, task, arrays)
    assert len(model.program.fit) == 1
    truth = (LABELS[:40] - LABELS[20:60]).tolist()
    answers = model.predict(list(zip(PIXELS[:40], PIXELS[20:60], strict=True)))
    assert sum(a == t for a, t in zip(answers, truth, strict=True)) >= 36
    assert model.source().count("# sign(") == 1
    assert "return int(sign(a)) - int(sign(b))" in model.source()


def test_its_source_names_the_parts(total: ProgramModel) -> None:
    lines = total.source().splitlines()
    assert lines[0].startswith("# sign(image[12, 12, 1]) -> class[5]: a small convolutional network of ")
    assert lines[1] == "def total(images) -> int:"
    assert lines[-1] == "    return sum([int(sign(image)) for image in images])"
    unnamed = parse_term("class_number(convnet{width: 8; class[5]}(x))")
    kind = KINDS.find("convnet")
    assert isinstance(kind, GradientKind)
    network = kind.build([IMAGE], FIVE, settings_of(kind, {"width": 8}), np.random.default_rng(0))
    program = Program(
        unnamed, {"x": IMAGE}, INT, {modules_of(unnamed)[0].slot: kind.arrays_of(network)}, exact=True
    )
    program.validate()
    source = replace(total, program=program).source()
    assert source.startswith("# convnet(image[12, 12, 1]) -> class[5]: ")
    assert "return int(convnet(x, width=8))" in source


def test_its_steps_are_shown_without_pixels(total: ProgramModel) -> None:
    shown = str(total.trace([PIXELS[0], PIXELS[1]]))
    assert "images = [image 12 x 12, image 12 x 12]" in shown
    assert "sign(image)" in shown
    assert "convnet" not in shown
    assert "[[" not in shown
    assert "sign(image)" in total.explain()
    assert ">sign<" in total.picture()


def test_what_does_not_fit_is_said(total: ProgramModel) -> None:
    good = PIXELS[0]
    for bad, said in (
        ([np.zeros((12, 12, 3))], r"expected image\[12, 12, 1\], got an array of shape \(12, 12, 3\)"),
        ([np.full((12, 12), np.nan)], "144 that are not"),
        ([good.astype(int)], "pixels as bytes"),
        (5, "expected a list"),
        (good, "image"),
        ([None], "image"),
    ):
        with pytest.raises(InputError, match=said):
            total(bad)
    with pytest.warns(ProgramWarning, match="row 2: .*expected a list"):
        assert total.predict([[], 5, []]) == [0, None, 0]


def test_an_image_of_another_size_is_resized(total: ProgramModel) -> None:
    hits = sum(
        total([p.repeat(2, 0).repeat(2, 1)]) == n for p, n in zip(PIXELS, LABELS.tolist(), strict=True)
    )
    assert hits >= 50


def test_damaged_parts_are_refused(total: ProgramModel) -> None:
    (slot,) = total.program.fit
    arrays = dict(total.program.fit[slot])
    for name, array in (
        ("0.weight", arrays["0.weight"][:4]),
        ("0.bias", arrays["0.bias"] * np.float32(np.nan)),
    ):
        program = replace(total.program, fit={slot: {**arrays, name: array}})
        with pytest.raises(FileFormatError):
            program.validate()
        with pytest.raises(FileFormatError):
            ProgramModel.from_bytes(replace(total, program=program).to_bytes())


def test_names_of_parts_cannot_reach_the_source(total: ProgramModel) -> None:
    text = total.program.term
    for label in ("x\nimport os", "a b", "import", "1"):
        from meristem.language import Module, rewrite

        term = rewrite(text, lambda n, label=label: replace(n, label=label) if isinstance(n, Module) else n)
        (slot,) = total.program.fit
        program = replace(total.program, term=term, fit={modules_of(term)[0].slot: total.program.fit[slot]})
        source = replace(total, program=program).source()
        compile(source, "source", "exec")
        assert "import os" not in [line.strip() for line in source.splitlines()]
