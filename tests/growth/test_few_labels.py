"""Labels of one image: what parts bring, how ways are checked, what is said where there is too little."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import meristem as ms
from meristem import events
from meristem.errors import InputError
from meristem.growth.label_ways import folds_of
from meristem.language.terms import modules_of
from meristem.model.perception_report import PerceptionReport

pytest.importorskip("torch")


def signs(codes: list[int], seed: int, side: int = 12) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Images [N, side, side]: each class is a pattern of 3 x 3 blocks drawn once, moved and noisy."""
    patterns = np.random.default_rng(77).random((40, 3, 3)) > 0.5
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 70, (len(codes), side, side))
    for image, code in zip(images, codes, strict=True):
        down, right = rng.integers(0, 4, 2)
        image[down : down + 9, right : right + 9] += patterns[code].repeat(3, 0).repeat(3, 1) * 170
    return images.astype(np.uint8)


def labelled(classes: range, a_class: int, seed: int) -> tuple[Any, list[str]]:
    codes = [c for c in classes for _ in range(a_class)]
    return signs(codes, seed), [f"sign {c}" for c in codes]


def share(model: ms.ProgramModel, classes: range) -> float:
    images, truth = labelled(classes, 8, 99)
    found, failures = model.answers_for(list(images))
    assert not failures
    return float(np.mean([a == b for a, b in zip(found, truth, strict=True)]))


@pytest.fixture(scope="module", autouse=True)
def short_trainings() -> Iterator[None]:
    """Signs are learned in a tenth of the steps that letters take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("meristem.growth.labels.steps_for", lambda rows: 70)
        yield


@pytest.fixture(scope="module")
def part() -> ms.ProgramModel:
    return ms.grow(ms.Task.from_arrays(*labelled(range(12), 20, 0), name="old signs"), budget=300, quiet=True)


def report_of(model: ms.ProgramModel) -> PerceptionReport:
    report = model.report()
    assert isinstance(report, PerceptionReport)
    return report


def test_a_new_reader_is_checked_on_what_it_did_not_see(part: ms.ProgramModel) -> None:
    report = report_of(part)
    assert report.way == "new reader"
    assert report.plain is None
    assert report.explained
    assert 60 <= report.held <= 100  # a third
    assert abs(report.accuracy - share(part, range(12))) < 0.15


def test_a_part_gets_a_new_head_for_new_classes(part: ms.ProgramModel) -> None:
    task = ms.Task.from_arrays(*labelled(range(20, 26), 3, 1), name="new signs")
    model = ms.grow(task, budget=300, parts=[part], quiet=True)
    report = report_of(model)
    assert report.way in ("new head", "part trained further")
    assert {"nearest_mean", "ridge_head", "logistic"} <= {p.text.split()[0] for p in report.tried_programs}
    assert share(model, range(20, 26)) > 0.7
    (old,), (new,) = modules_of(part.term), modules_of(model.term)
    if report.way == "new head":  # the features are those of the part, to the bit
        before, after = part.program.fit[old.slot], model.program.fit[new.slot]
        assert np.array_equal(before["0.weight"], after["0.weight"])
    again = ms.ProgramModel.from_bytes(model.to_bytes())
    assert share(again, range(20, 26)) == share(model, range(20, 26))


def test_one_example_each_is_enough_to_try_and_said_to_be_unchecked(part: ms.ProgramModel) -> None:
    task = ms.Task.from_arrays(*labelled(range(20, 26), 1, 2), name="new signs")
    model = ms.grow(task, budget=300, parts=[part], quiet=True)
    report = report_of(model)
    assert report.way == "new head"
    assert report.held == 0
    assert "No example could be held out, so how good it is was not measured" in report.verdict()
    assert "each class has one example only, so none could be held out" in report.text(1000)
    assert share(model, range(20, 26)) > 0.4  # guessing: 0.17


def test_a_part_that_knows_the_labels_is_taken_as_it_is(part: ms.ProgramModel) -> None:
    task = ms.Task.from_arrays(*labelled(range(5), 2, 3), name="some signs")
    model = ms.grow(task, budget=300, parts=[part], quiet=True)
    report = report_of(model)
    ways = {p.text: p.accuracy for p in report.tried_programs}
    assert "part of 'old signs' as it is" in ways
    if report.way == "part as it is":
        (old,), (new,) = modules_of(part.term), modules_of(model.term)
        assert old.slot == new.slot
    assert share(model, range(5)) > 0.7


def test_whole_numbers_of_one_image_are_classes() -> None:
    codes = [3, 11, 40, -2] * 15
    places = [k % 4 for k in range(60)]
    model = ms.grow(ms.Task.from_arrays(signs(places, 4), codes), budget=300, quiet=True)
    found, _ = model.answers_for(list(signs(places, 5)))
    assert all(isinstance(each, int) for each in found)
    assert np.mean([a == b for a, b in zip(found, codes, strict=True)]) > 0.8
    assert "class_number(" in model.report().program


def test_examples_to_check_on_are_what_the_score_is_of(part: ms.ProgramModel) -> None:
    images, truth = labelled(range(20, 26), 3, 6)
    wrong = [truth[-1 - k] for k in range(18)]  # all labels exchanged: whoever is right is wrong here
    task = ms.Task.from_arrays(images, truth, validation=(images, wrong))
    report = report_of(ms.grow(task, budget=300, parts=[part], quiet=True))
    assert report.held == 18
    assert report.accuracy < 0.3


def test_folds_deal_out_every_class() -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(6), [1, 2, 3, 5, 9, 30])
    folds = folds_of(codes, None, rng)
    assert folds[codes == 0].tolist() == [-1]  # alone in its class: always learned from
    for code in range(1, 6):
        counts = np.bincount(folds[codes == code], minlength=3)
        assert counts.max() - counts.min() <= 1
        assert (folds[codes == code] >= 0).all()
    groups = np.arange(50) % 5
    by_group = folds_of(codes, groups, rng)
    for group in range(5):
        assert len(set(by_group[groups == group].tolist())) == 1
    assert (folds_of(np.arange(4), None, rng) == -1).all()


def test_what_cannot_be_used_is_said_in_a_sentence() -> None:
    images, truth = labelled(range(3), 4, 7)
    with pytest.raises(InputError, match=r"expected at least two groups \(groups=\).*got one; give more"):
        ms.grow(ms.Task.from_arrays(images, truth, groups=["a"] * 12), budget=5, quiet=True)
    pairs = ms.Task.from_arrays(images.reshape(6, 2, 12, 12), [[1, 2], [2, 1]] * 3)
    with pytest.raises(InputError, match=r"whole numbers, true and false.*got list\[int\].*a task for each"):
        ms.grow(pairs, budget=5, quiet=True)
    lists = ms.Task.from_arrays(images.reshape(6, 2, 12, 12), [1, 2] * 3, groups=["a"] * 6)
    with pytest.raises(InputError, match="one to hold out and check on, got one group"):
        ms.grow(lists, budget=5, quiet=True)
    sizes = ms.Task.from_arrays((images, images[:, :8, :8]), [1, 2] * 6)
    with pytest.raises(InputError, match=r"images of one size for one reader.*pass resize="):
        ms.grow(sizes, budget=5, quiet=True)
    with pytest.raises(InputError, match="expected lists with something in them, got 6 empty lists only"):
        ms.Task.from_arrays([[]] * 6, [1, 2] * 3, types="list[image[8, 8, 1]] -> int")


def test_no_time_gives_the_most_frequent_label() -> None:
    images, truth = labelled(range(3), 4, 8)
    model = ms.grow(ms.Task.from_arrays(images, [*truth[:-1], "sign 0"]), budget=0.001, quiet=True)
    assert model.answers_for(list(images[:2]))[0] == ["sign 0", "sign 0"]
    assert "No program that was tried explains the labels" in model.report().verdict()


def test_the_first_interrupt_gives_the_best_so_far(
    part: ms.ProgramModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meristem.growth.labels.steps_for", lambda rows: 100_000)

    def listen(event: events.Event) -> None:
        if isinstance(event, events.Phase) and event.name == "training":
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    # Labels by chance: no head passes the check, so a network is trained, for very long.
    images, truth = labelled(range(20, 26), 6, 9)
    mixed = np.random.default_rng(1).permutation(truth).tolist()
    model = ms.grow(
        ms.Task.from_arrays(images, mixed), budget=300, parts=[part], quiet=True, listeners=[listen]
    )
    report = report_of(model)
    assert report.ended == "stopped by the user"
    assert report.effort.seconds < 60
    assert len(model.answers_for(list(images[:3]))[0]) == 3
