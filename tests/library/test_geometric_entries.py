"""Entries with fitted parts: kept bit for bit, verified, put on the geometric shelf, offered as parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import meristem as ms
from glyphs import glyphs, lists_of
from meristem.errors import FileFormatError
from meristem.growth.keeping import parts_for, used_by
from meristem.language import KINDS, FitContext, GradientKind, modules_of, parse_term, settings_of
from meristem.library import Library
from meristem.library.checking import verify
from meristem.library.describe import describe
from meristem.model import Program, ProgramModel
from meristem.types import Type, class_of
from meristem.values import Dense, Scalars

pytest.importorskip("torch")
pytestmark = pytest.mark.slow  # a reader is trained
FIVE = class_of(*map(str, range(5)))


@pytest.fixture(scope="module")
def total() -> ProgramModel:
    kind = KINDS.find("convnet")
    assert isinstance(kind, GradientKind)
    pixels, labels = glyphs(300, np.random.default_rng(0))
    x = Dense(Type("image", params=(12, 12, 1)), pixels[..., None] / np.float32(255))
    arrays = kind.fit(
        [x], settings_of(kind, {}), FitContext(Scalars(FIVE, labels), np.random.default_rng(0))
    ).arrays
    images, values = lists_of(*glyphs(60, np.random.default_rng(5)), np.array([2, 0, 1, 3]))
    task = ms.Task.from_arrays(images, [sum(v) for v in values], names="images")
    term = parse_term("sum(map(image => class_number(convnet{; class[5]}@sign(image)), images))")
    fit = {node.slot: arrays for node in modules_of(term)}
    program = Program(term, task.input_types, task.answers.type, fit, exact=True)
    record = {"kind": "perception", "accuracy": 0.95, "held": 100}
    return ProgramModel(program, "total", "sum", task.inputs, task.answers, record)


def test_a_reader_is_kept_and_found(total: ProgramModel, tmp_path: Path) -> None:
    with Library(tmp_path / "lib") as library:
        entry = library.add(total)
        assert entry.shelf == "geometric"
        assert entry.card.term is None
        assert entry.card.scores[0]["low"] < 0.95 < entry.card.scores[0]["high"]
        assert len(entry.card.probes) == 4
        assert entry.model().to_bytes() == total.to_bytes()
        assert library.search(type="list[image[12, 12, 1]] -> int")[0].entry == entry
        assert library.search("convnet")[0].entry == entry
        assert library.fsck().ok
        assert 'class="geometric"' in library.picture()
        library.export(tmp_path / "some.pack")
        with Library(tmp_path / "other") as other:
            assert [e.label for e in other.import_(tmp_path / "some.pack").added] == ["total@1"]
            assert other["total"].model().hash == total.hash
        images = [np.zeros((2, 12, 12), np.uint8)] * 12
        task = ms.Task.from_arrays(images, [k % 3 for k in range(12)], names="images")
        models, entries = parts_for(library, task)
        assert [m.hash for m in models] == [total.hash]
        assert used_by(total, entries) == [entry]


def test_a_reader_that_was_changed_is_noticed(total: ProgramModel) -> None:
    described = describe(total)
    assert verify(described.card, described.content)[1] == []
    slot, arrays = next(iter(total.program.fit.items()))
    name, array = next((n, a) for n, a in arrays.items() if a.dtype.kind == "f" and a.size > 3)
    other = replace(total, program=replace(total.program, fit={slot: {**arrays, name: array * 0}}))
    changed = describe(other)
    forged = replace(described.card, content=changed.card.content, program=changed.card.program)
    wrong = verify(forged, changed.content)[1]
    assert any("answer that it claims" in words for words in wrong)
    with pytest.raises(FileFormatError, match="hash"):
        verify(described.card, changed.content)
