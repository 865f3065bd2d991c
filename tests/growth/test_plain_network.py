"""The plain networks beside a program: they learn, the better one is chosen, and the curve says when it would win."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meristem.growth.plain_network import PlainResult, images_of, labels_to_turn, train_plain
from meristem.model.perception_report import BEYOND, PerceptionReport
from meristem.model.report import Effort
from meristem.search.hybrid import look_at
from meristem.task import Task
from meristem.task.arrays import ArrayTask
from meristem.training.rows import Examples

pytest.importorskip("torch")


def flags(count: int, seed: int, low: int = 1, high: int = 4) -> tuple[list[np.ndarray], list[int]]:
    """Lists of images [8, 8], dark or bright, and how many are bright."""
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, 2, low + k % (high - low + 1)) for k in range(count)]
    images = [rng.uniform(0, 0.3, (len(c), 8, 8)) + 0.6 * c[:, None, None] for c in codes]
    return images, [int(c.sum()) for c in codes]


def examples(task: ArrayTask) -> Examples:
    return Examples(task.inputs, task.answers)


@pytest.fixture(scope="module")
def result() -> tuple[PlainResult, ArrayTask]:
    task = Task.from_arrays(*flags(300, 0))
    held = Task.from_arrays(*flags(80, 1))
    look = look_at(task.input_types)
    found = train_plain(look, examples(task), examples(held), np.random.default_rng(0), cpu_seconds=3.0)
    return found, task


def test_a_plain_network_counts(result: tuple[PlainResult, ArrayTask]) -> None:
    found, _ = result
    assert found.accuracy > 0.8
    assert found.steps > 10
    assert {name for name, _, _ in found.rivals} == {
        "recurrent network",
        "attention",
        "deep set",
        "deep set that adds up",
    }
    assert [n for n, _ in found.points] == sorted(n for n, _ in found.points)
    assert found.points[-1] == (300, found.accuracy)
    best = max((n, share) for name, n, share in found.rivals if name == found.name)
    assert all(share <= best[1] for _, n, share in found.rivals if n == best[0])


def test_it_answers_other_examples_too(result: tuple[PlainResult, ArrayTask]) -> None:
    found, _ = result
    assert found.answers is not None
    inputs, wanted = flags(60, 2)
    answers = found.answers(Task.from_arrays(inputs, wanted).inputs)
    assert np.mean([a == b for a, b in zip(answers, wanted, strict=True)]) > 0.7


def test_one_image_each_needs_no_network_over_lists() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 2, 120)
    images = rng.uniform(0, 0.3, (120, 8, 8)) + 0.6 * codes[:, None, None]
    task = Task.from_arrays(images, codes.astype(bool).tolist())
    found = train_plain(
        look_at(task.input_types), examples(task), examples(task), np.random.default_rng(0), cpu_seconds=1.0
    )
    assert found.name == "network"
    assert found.rivals == ()
    assert found.accuracy > 0.9


def test_the_images_of_a_grid_stand_row_by_row() -> None:
    rng = np.random.default_rng(4)
    grids = [rng.random((2, 3, 6, 6)), rng.random((1, 2, 6, 6))]
    task = Task.from_arrays([*grids, np.zeros((3, 1, 6, 6))], [1, 2, 3]).take(np.array([1, 0, 2]))
    images, places, counts = images_of(look_at(task.input_types), task.inputs)
    assert counts.tolist() == [2, 6, 3]
    np.testing.assert_allclose(images.data[places[:2], :, :, 0], grids[1].reshape(-1, 6, 6))
    np.testing.assert_allclose(images.data[places[2:8], :, :, 0], grids[0].reshape(-1, 6, 6))


def test_the_curve_says_at_how_many_labels_it_would_turn() -> None:
    # Errors 0.4, 0.2, 0.1 at 100, 200, 400: one over the labels.
    points = [(100, 0.6), (200, 0.8), (400, 0.9)]
    found = labels_to_turn(points, 0.95, 10**6)
    assert found is not None
    assert abs(found - 800) < 5
    assert labels_to_turn(points, 0.999999, 10**7) == math.inf
    assert labels_to_turn([(100, 0.5), (200, 0.5)], 0.9, 1000) == math.inf
    assert labels_to_turn(points[:1], 0.9, 1000) is None
    earlier = labels_to_turn(points, 0.8, 10**6)  # the network won: from where on it does
    assert earlier is not None
    assert abs(earlier - 200) < 5


@pytest.mark.parametrize(
    ("accuracy", "turn", "said"),
    [
        (0.95, 123_456.0, "the network would catch up at about 120,000 labels"),
        (0.95, BEYOND, "not with a thousand times as many labels"),
        (0.5, 340.0, "as it does from about 340 labels on"),
        (0.95, None, "the program won ("),
        (0.8, 340.0, "a tie ("),
    ],
)
def test_the_report_says_so(accuracy: float, turn: float | None, said: str) -> None:
    report = PerceptionReport(
        name="x",
        examples=300,
        further=0,
        types={},
        output="int",
        effort=Effort(1.0, None, None, 1, 0, {}),
        program="",
        bits=1.0,
        agreement=1.0,
        asked=0,
        considered=1,
        ended="",
        held=100,
        accuracy=accuracy,
        plain=0.8,
        plain_name="attention",
        turn=turn,
    )
    assert said in report.verdict()
    assert "(attention)" in report.verdict()
    assert PerceptionReport.from_json(report.to_json()) == report
    old = {k: v for k, v in report.to_json().items() if k not in ("plain_name", "turn")}
    assert PerceptionReport.from_json(old).turn is None
