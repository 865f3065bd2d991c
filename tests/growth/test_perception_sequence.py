"""Tasks one after the other: yes or no of an image, then counting with that reader; and grids."""

from __future__ import annotations

import numpy as np
import pytest

import meristem as ms
from meristem.growth import perception
from meristem.model.perception_report import PerceptionReport

pytest.importorskip("torch")


def signs(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Images [..., 8, 8]: one quarter is bright, which one is the class."""
    images = rng.uniform(0, 0.4, (*codes.shape, 8, 8))
    for place in np.ndindex(codes.shape):
        row, column = 4 * (codes[place] // 2), 4 * (codes[place] % 2)
        images[place][row : row + 4, column : column + 4] += 0.6
    return images


@pytest.fixture(scope="module")
def is_two() -> ms.ProgramModel:
    rng = np.random.default_rng(0)
    codes = np.where(np.arange(160) % 2 == 0, 2, rng.integers(0, 2, 160))
    task = ms.Task.from_arrays(signs(codes, rng), (codes == 2).tolist(), name="is it two")
    return ms.grow(task, budget=300, quiet=True)


def test_yes_or_no_of_an_image_is_a_reader_of_two_classes(is_two: ms.ProgramModel) -> None:
    report = is_two.report()
    assert isinstance(report, PerceptionReport)
    assert report.way == "new reader"
    assert report.classes == 2
    assert report.accuracy > 0.95
    assert report.plain_name == "network"
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 3, 60)
    found, failures = is_two.answers_for(list(signs(codes, rng)))
    assert not failures
    assert np.mean(np.array(found) == (codes == 2)) > 0.95


def test_that_reader_counts_and_is_trained_further(
    is_two: ms.ProgramModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perception, "_MANY", 50)
    monkeypatch.setattr(perception, "_GOOD", 1.01)
    rng = np.random.default_rng(2)
    lists = [rng.integers(0, 3, 2 + k % 3) for k in range(90)]
    task = ms.Task.from_arrays(
        [signs(codes, rng) for codes in lists], [int((codes == 2).sum()) for codes in lists], name="twos"
    )
    model = ms.grow(task, budget=300, parts=[is_two], quiet=True)
    report = model.report()
    assert isinstance(report, PerceptionReport)
    assert float(report.stages["training"]) > 0
    assert report.way in ("part as it is", "part trained further")
    # What was learned further is a copy: the part is as it was.
    assert is_two.hash == ms.ProgramModel.from_bytes(is_two.to_bytes()).hash
    long = [rng.integers(0, 3, 7) for _ in range(40)]
    found, _ = model.answers_for([signs(codes, rng) for codes in long])
    wanted = [int((codes == 2).sum()) for codes in long]
    assert np.mean([a == b for a, b in zip(found, wanted, strict=True)]) > 0.8


@pytest.mark.slow
def test_the_cheapest_way_through_a_grid_is_found_with_the_reader_in_it() -> None:
    rng = np.random.default_rng(3)

    def cost(codes: np.ndarray) -> int:
        best = np.full((codes.shape[0] + 1, codes.shape[1] + 1), 10**6)
        best[0, 1] = 0
        for i, j in np.ndindex(codes.shape):
            best[i + 1, j + 1] = codes[i, j] + min(best[i, j + 1], best[i + 1, j])
        return int(best[-1, -1])

    sizes = [(1, 2), (1, 3), (2, 2), (2, 3)]
    grids = [rng.integers(0, 4, sizes[k % 4]) for k in range(400)]
    task = ms.Task.from_arrays([signs(g, rng) for g in grids], [cost(g) for g in grids], name="way")
    model = ms.grow(task, budget=600, quiet=True)
    assert "fold_grid((one, other) => minimum(one, other)" in model.report().program
    large = [rng.integers(0, 4, (4, 4)) for _ in range(30)]
    found, _ = model.answers_for([signs(g, rng) for g in large])
    assert np.mean([a == cost(g) for a, g in zip(found, large, strict=True)]) > 0.8
