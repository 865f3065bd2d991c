"""Tasks from arrays: what shapes mean, what is said about what cannot be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import meristem as ms
from meristem.errors import InputError
from meristem.task import ArrayTask
from meristem.types import parse_type
from meristem.values import Dense, Lists, column_from

rng = np.random.default_rng(0)
ANSWERS = [1, 2, 3, 4]


def pixels(*shape: int) -> np.ndarray[Any, Any]:
    return rng.integers(0, 256, (*shape, 6, 7)).astype(np.uint8)


def types_of(task: ArrayTask) -> str:
    return ", ".join(f"{n}: {t}" for n, t in task.input_types.items()) + f" -> {task.answers.type}"


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (pixels(4), "image[6, 7, 1]"),
        (pixels(4) / 255, "image[6, 7, 1]"),
        (rng.random((4, 6, 7, 3)), "image[6, 7, 3]"),
        (list(pixels(4)), "image[6, 7, 1]"),
        (pixels(4, 2), "list[image[6, 7, 1]]"),
        ([list(pixels(n)) for n in (3, 1, 0, 2)], "list[image[6, 7, 1]]"),
        ([pixels(n) for n in (3, 1, 0, 2)], "list[image[6, 7, 1]]"),
        ([(pixels(), pixels()) for _ in range(4)], "pair[image[6, 7, 1], image[6, 7, 1]]"),
        ([(list(pixels(2)), 5) for _ in range(4)], "pair[list[image[6, 7, 1]], int]"),
        (pixels(4, 2, 3), "list[list[image[6, 7, 1]]]"),
        ([[list(pixels(2))] * n for n in (1, 2, 2, 3)], "list[list[image[6, 7, 1]]]"),
        (rng.random((4, 2, 3, 6, 7, 3)), "list[list[image[6, 7, 3]]]"),
        (rng.random((4, 500, 3)), "signal[500, 3]"),
        (np.zeros((4, 500), np.int16), "signal[500, 1]"),
        ([[np.zeros(9, np.int16)] * n for n in (2, 1, 1, 2)], "list[signal[9, 1]]"),
        (rng.random((4, 5)), "vector[5]"),
        ([3, 1, 4, 1], "int"),
        ([[1, 2], [], [3], [4]], "list[int]"),
        (["a", "b", "c", "d"], "text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_shapes_tell_types(inputs: Any, expected: str) -> None:
    assert types_of(ms.Task.from_arrays(inputs, ANSWERS)) == f"x: {expected} -> int"


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (np.array(ANSWERS, np.uint8), "int"),
        ([1, 2.5, 3, 4], "real"),
        (["cat", "dog", "cat", "ant"], "class[ant, cat, dog]"),
        ([True, False, True, True], "bool"),
        ([[1, 2], [], [3], [4]], "list[int]"),
        ([["b"], ["a", "b"], [], ["a"]], "list[class[a, b]]"),
        ([(1, "a"), (2, "b"), (3, "a"), (4, "a")], "pair[int, class[a, b]]"),
    ],
)
def test_answers_tell_types(outputs: Any, expected: str) -> None:
    assert types_of(ms.Task.from_arrays(pixels(4), outputs)) == f"x: image[6, 7, 1] -> {expected}"


def test_values_are_where_they_were() -> None:
    given = [list(pixels(n)) for n in (3, 1, 0, 2)]
    task = ms.Task.from_arrays(given, ANSWERS, names="images", name="total")
    assert task.name == "total"
    for row, images in zip(task.inputs["images"].to_list(), given, strict=True):
        assert len(row) == len(images)
        for found, image in zip(row, images, strict=True):
            np.testing.assert_array_equal(found[:, :, 0], image / np.float32(255))
    some = task.take(np.array([3, 0]))
    assert [len(row) for row in some.inputs["images"].to_list()] == [2, 3]
    assert some.answers.to_list() == [4, 1]
    assert "4 examples, images: list[image[6, 7, 1]] -> int" in repr(task)


def test_float_arrays_are_not_copied() -> None:
    data = rng.random((4, 6, 7, 1)).astype(np.float32)
    column = ms.Task.from_arrays(data, ANSWERS).inputs["x"]
    assert isinstance(column, Dense)
    assert np.shares_memory(column.data, data)
    nested = rng.random((4, 2, 6, 7)).astype(np.float32)
    lists = ms.Task.from_arrays(nested, ANSWERS).inputs["x"]
    assert isinstance(lists, Lists)
    assert isinstance(lists.items, Dense)
    assert np.shares_memory(lists.items.data, nested)


def test_several_inputs() -> None:
    assert (
        types_of(ms.Task.from_arrays((pixels(4), [1, 2, 3, 4]), ANSWERS))
        == "x1: image[6, 7, 1], x2: int -> int"
    )
    task = ms.Task.from_arrays({"left": pixels(4), "right": pixels(4, 2)}, ANSWERS)
    assert types_of(task) == "left: image[6, 7, 1], right: list[image[6, 7, 1]] -> int"
    task = ms.Task.from_arrays((pixels(4), pixels(4)), ANSWERS, names=["left", "right"])
    assert list(task.inputs) == ["left", "right"]
    assert [a.shape for a in task.arguments(0)] == [(6, 7, 1), (6, 7, 1)]


def test_stated_types_settle_it() -> None:
    task = ms.Task.from_arrays(rng.random((4, 50)), ANSWERS, types="signal[_, 1] -> class[5]")
    assert types_of(task) == "x: signal[50, 1] -> class[5]"
    assert task.answers.to_list() == ["1", "2", "3", "4"]
    task = ms.Task.from_arrays(pixels(4, 2), ANSWERS, types="pair[image[_, _, 1], image[_, _, 1]]")
    assert types_of(task) == "x: pair[image[6, 7, 1], image[6, 7, 1]] -> int"
    task = ms.Task.from_arrays([[[0.0, 0.5], [1.0, 0.0]]] * 4, ANSWERS, types={"x": "image[2, 2, 1]"})
    assert types_of(task) == "x: image[2, 2, 1] -> int"
    column = column_from([np.zeros((2, 2, 1))] * 4, parse_type("image[2, 2, 1]"))
    assert ms.Task.from_arrays(column, ANSWERS).inputs["x"] is column


def test_sizes_are_brought_together_where_wanted() -> None:
    several = [rng.random((6 + k, 7)) for k in range(4)]
    task = ms.Task.from_arrays(several, ANSWERS, resize=(5, 5))
    assert types_of(task) == "x: image[5, 5, 1] -> int"
    clips = [np.full(100 * (k + 1), 16384, np.int16) for k in range(4)]
    task = ms.Task.from_arrays(clips, ANSWERS)
    assert types_of(task) == "x: signal[400, 1] -> int"
    assert task.inputs["x"][0][:, 0].tolist() == [0.5] * 100 + [0.0] * 300
    assert "100 to 400 samples; silence was added" in task.findings[0].text
    assert types_of(ms.Task.from_arrays(clips, ANSWERS, resize=150)) == "x: signal[150, 1] -> int"


def test_validation() -> None:
    task = ms.Task.from_arrays(pixels(4), list("abca"), validation=(pixels(2), ["c", "a"]))
    assert task.held is not None
    assert task.held.answers.type == task.answers.type
    task = ms.Task.from_arrays(pixels(40), np.arange(40), validation=0.25)
    assert task.held is not None
    assert (len(task), len(task.held)) == (30, 10)
    assert sorted(task.answers.to_list() + task.held.answers.to_list()) == list(range(40))
    speakers = [f"s{k % 5}" for k in range(40)]
    task = ms.Task.from_arrays(pixels(40), np.arange(40), validation=0.2, groups=speakers)
    assert task.held is not None
    assert task.groups is not None
    assert task.held.groups is not None
    assert set(task.held.groups.tolist()).isdisjoint(task.groups.tolist())
    assert len(task.held) == 8


def wrong(*args: Any, **named: Any) -> str:
    with pytest.raises(InputError) as raised:
        ms.Task.from_arrays(*args, **named)
    return str(raised.value)


def test_images_of_several_sizes_are_named() -> None:
    several = [rng.random((6, 7)), rng.random((8, 7)), rng.random((6, 7)), rng.random((6, 7))]
    said = wrong(several, ANSWERS)
    assert (
        "6 x 7 x 1 (3 of them, the first in example 1), 8 x 7 x 1 (1 of them, the first in example 2)" in said
    )
    assert "pass resize=(height, width)" in said
    said = wrong([[several[0]], [several[0], several[1]], [], [several[0]]], ANSWERS)
    assert "8 x 7 x 1 (1 of them, the first in example 2)" in said
    said = wrong(
        [rng.random((6, 7, 3)), rng.random((6, 7, 1)), rng.random((6, 7, 3)), rng.random((6, 7, 3))], ANSWERS
    )
    assert "all gray or all coloured" in said


def test_gaps_are_named() -> None:
    holed = rng.random((4, 2, 6, 7))
    holed[2, 1, 0, 0] = np.nan
    holed[3, 0, 5, 5] = np.inf
    assert "NaN or infinite ones in examples 3, 4; leave these out" in wrong(holed, ANSWERS)
    assert "none in example 2" in wrong(pixels(4), [1, None, 3, 4])
    assert "none in example 1, 2" in wrong(pixels(4), [np.nan, np.nan, 3, 4])
    assert "nothing in example 2" in wrong([pixels(), None, pixels(), pixels()], ANSWERS)


def test_what_cannot_be_learned_is_said() -> None:
    assert "got 7 in all 4 examples: nothing can be learned" in wrong(pixels(4), [7] * 4)
    assert "'a' in all 4 examples" in wrong(pixels(4), ["a"] * 4)
    assert "got 4 of the inputs and 3 outputs" in wrong(pixels(4), [1, 2, 3])
    assert "got 3 of the input 'x2' and 4 outputs" in wrong((pixels(4), pixels(3)), ANSWERS)
    assert "at least one example" in wrong(pixels(0), [])
    assert "empty lists only" in wrong([[], [], [], []], ANSWERS)


def test_empty_lists_are_data() -> None:
    task = ms.Task.from_arrays([list(pixels(n)) for n in (2, 0, 0, 1)], [3, 0, 0, 1])
    assert [len(row) for row in task.inputs["x"].to_list()] == [2, 0, 0, 1]
    assert task.findings[0].text == "2 of 4 lists in the input are empty; they count as lists of no items"


@pytest.mark.parametrize(
    ("inputs", "named", "said"),
    [
        (pixels(4).astype(int), {}, "pixels as bytes"),
        ("abcd", {}, "got str"),
        (7, {}, "got int"),
        ({}, {}, "names as text"),
        ((), {}, "empty tuple"),
        (pixels(4), {"names": ["a", "b"]}, "expected 1 names"),
        (pixels(4), {"types": "image[_, _, 1], int -> int"}, "expected 1 inputs, got 2"),
        (pixels(4), {"types": "image[9, 9, 1] -> int"}, "expected image[9, 9, 1]"),
        (pixels(4), {"types": "signal[_] -> int"}, "dimension"),
        (pixels(4), {"types": "image[_, _, 1] -> class[3]"}, "the output of example 3: expected class[3]"),
        (pixels(4), {"validation": 1.5}, "between 0 and 1"),
        (pixels(4), {"validation": (pixels(2), [1])}, "validation: expected as many"),
        (pixels(4), {"validation": (pixels(2, 2), [1, 2])}, "validation: expected image[6, 7, 1]"),
        (pixels(4), {"groups": [1, 2]}, "groups: expected one for each of the 4"),
        (pixels(4), {"resize": (1, 2, 3)}, "resize: expected (height, width)"),
        ([pixels(), pixels(2), pixels(), pixels()], {}, "as many dimensions"),
        ([pixels(), 3, pixels(), pixels()], {}, "int in example 2"),
    ],
)
def test_wrong_arguments_are_said(inputs: Any, named: dict[str, Any], said: str) -> None:
    assert said in wrong(inputs, ANSWERS, **named)


def test_answers_of_two_kinds_are_named() -> None:
    assert "got a number in examples 1, 3, 4; text in example 2" in wrong(pixels(4), [1, "a", 3, 4])
    assert "list or an array of outputs" in wrong(pixels(4), "abcd")
