"""Programs with perception, grown on glyphs of four classes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import meristem as ms
from meristem import events
from meristem.errors import InputError
from meristem.language.terms import modules_of
from meristem.model.perception_report import PerceptionReport
from meristem.model.program_page import page
from meristem.search.hybrid import Effort

pytest.importorskip("torch")


def glyphs(codes: list[int], rng: np.random.Generator) -> np.ndarray:
    """Images [N, 8, 8]: one quarter is bright, which one is the class."""
    images = rng.uniform(0, 0.4, (len(codes), 8, 8))
    for image, code in zip(images, codes, strict=True):
        row, column = 4 * (code // 2), 4 * (code % 2)
        image[row : row + 4, column : column + 4] += 0.6
    return images


def data(
    truth: Callable[[list[int]], Any], count: int, seed: int, low: int = 2, high: int = 3
) -> tuple[list[np.ndarray], list[Any]]:
    """Lists of glyphs and answers."""
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, 4, low + k % (high - low + 1)).tolist() for k in range(count)]
    return [glyphs(each, rng) for each in codes], [truth(each) for each in codes]


@pytest.fixture(scope="module", autouse=True)
def short_programs() -> Iterator[None]:
    """The truths here are short: no time is spent on long programs, and little on plain networks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("meristem.search.hybrid.enumerating.USUAL", Effort(kept=800))
        patch.setattr("meristem.growth.perception._PLAIN_LEAST", 0.4)
        yield


def grow_adder() -> ms.ProgramModel:
    task = ms.Task.from_arrays(*data(sum, 240, 0), name="add")
    return ms.grow(task, budget=ms.Budget(trials=2), quiet=True)


@pytest.fixture(scope="module")
def adder(short_programs: None) -> ms.ProgramModel:
    return grow_adder()


def test_a_sum_is_found_with_the_reader_in_it(adder: ms.ProgramModel) -> None:
    report = adder.report()
    assert isinstance(report, PerceptionReport)
    assert report.explained
    assert report.accuracy > 0.9
    assert report.way == "new reader"
    assert report.won in ("program", "tie")
    assert "held-out" in report.text()
    assert "sum(" in report.program
    inputs, answers = data(sum, 60, 1, 5, 7)  # longer than any that it learned from
    found, failures = adder.answers_for(inputs)
    assert not failures
    assert np.mean([a == b for a, b in zip(found, answers, strict=True)]) > 0.8


@pytest.mark.slow
def test_a_budget_in_trials_repeats_exactly(adder: ms.ProgramModel) -> None:
    again = grow_adder()
    assert again.hash == adder.hash
    assert again.report().tried_programs[0].steps == adder.report().tried_programs[0].steps
    assert sum(p.loss is not None for p in again.report().tried_programs) <= 2


def test_the_model_file_keeps_it(adder: ms.ProgramModel, tmp_path: Path) -> None:
    adder.save(tmp_path / "add.ms")
    again = ms.load(tmp_path / "add.ms")
    assert again.hash == adder.hash
    assert again.report() == adder.report()
    assert again.seen() == adder.seen()
    shown = page(again)
    assert "Programs that were compared" in shown
    assert "Programs that fit" not in shown
    assert "img-src data:" in shown
    assert shown.count("data:image/png;base64,") >= 4  # of two lists or more
    inputs, _ = data(sum, 10, 2)
    assert again.answers_for(inputs) == adder.answers_for(inputs)


def test_a_part_is_used_as_it_is(adder: ms.ProgramModel) -> None:
    model = ms.grow(
        ms.Task.from_arrays(*data(max, 60, 3), name="most"), budget=300, parts=[adder], quiet=True
    )
    report = model.report()
    assert isinstance(report, PerceptionReport)
    assert report.way == "part as it is"
    assert report.accuracy > 0.8
    assert "max(" in report.program
    (before,) = modules_of(adder.term)
    (after,) = modules_of(model.term)
    assert before.slot == after.slot
    for name, array in adder.program.fit[before.slot].items():
        assert np.array_equal(array, model.program.fit[after.slot][name])


def test_labels_that_no_program_explains_are_told() -> None:
    rng = np.random.default_rng(4)
    inputs, _ = data(sum, 120, 4)
    noise = rng.integers(0, 5, 120).tolist()
    model = ms.grow(ms.Task.from_arrays(inputs, noise, name="noise"), budget=4, quiet=True)
    report = model.report()
    assert isinstance(report, PerceptionReport)
    assert not report.explained
    assert "No program that was tried explains the labels" in report.verdict()
    # The best there is, with its honest score: a program that is worse than the most frequent answer is not given.
    assert report.accuracy >= report.constant
    assert f"(the most frequent answer: {report.constant:.0%}".replace("%", " %") in report.verdict()
    found, _ = model.answers_for(inputs)
    assert all(isinstance(each, int) for each in found)


def test_labels_that_nothing_can_give_are_told() -> None:
    inputs, _ = data(sum, 60, 4)
    far = (100_000 * np.random.default_rng(5).integers(1, 5, 60)).tolist()
    report = ms.grow(ms.Task.from_arrays(inputs, far, name="far"), budget=4, quiet=True).report()
    assert isinstance(report, PerceptionReport)
    assert not report.explained
    assert "can give the labels, whatever the images show" in report.text(1000)


def test_one_image_with_its_label_is_a_reader_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "meristem.growth.labels.steps_for", lambda rows: 150
    )  # four quarters are soon learned
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 4, 200).tolist()
    task = ms.Task.from_arrays(glyphs(codes, rng), [f"glyph {c}" for c in codes])
    model = ms.grow(task, budget=300, quiet=True)
    report = model.report()
    assert isinstance(report, PerceptionReport)
    assert report.accuracy > 0.9
    fresh = rng.integers(0, 4, 40).tolist()
    found, _ = model.answers_for(list(glyphs(fresh, rng)))
    assert np.mean([a == f"glyph {b}" for a, b in zip(found, fresh, strict=True)]) > 0.9


def test_the_first_interrupt_gives_what_there_is() -> None:
    seen: list[events.Event] = []

    def listen(event: events.Event) -> None:
        seen.append(event)
        if isinstance(event, events.CandidateStarted) and not any(
            isinstance(e, events.CandidateEnded) for e in seen
        ):
            os.kill(os.getpid(), signal.SIGINT)

    model = ms.grow(ms.Task.from_arrays(*data(sum, 200, 6)), budget=300, quiet=True, listeners=[listen])
    report = model.report()
    assert report.ended == "stopped by the user"
    assert len(model.answers_for(data(sum, 3, 7)[0])[0]) == 3


def test_arguments_that_do_not_apply_are_named(adder: ms.ProgramModel) -> None:
    task = ms.Task.from_arrays(*data(sum, 20, 8))
    with pytest.raises(InputError, match="sketch"):
        ms.grow(task, sketch="sum(?)", quiet=True)  # type: ignore[call-overload]
    with pytest.raises(InputError, match="expected programs as parts"):
        ms.grow(task, parts=["a file"], quiet=True)  # type: ignore[list-item]
    labelled = ms.Task.from_arrays(data(sum, 20, 8)[0], ["odd" if k % 2 else "even" for k in range(20)])
    with pytest.raises(InputError, match="whole numbers or true and false"):
        ms.grow(labelled, budget=5, quiet=True)
    reals = ms.Task.from_arrays(data(sum, 20, 8)[0], [k / 3 for k in range(20)])
    with pytest.raises(InputError, match="whole numbers"):
        ms.grow(reals, budget=5, quiet=True)
