"""Images and signals in columns: their numbers, their sizes, no needless copies, files that lose nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meristem.errors import FileFormatError, TypeMismatch
from meristem.types import Type, list_of, pair_of, parse_type
from meristem.values import Column, Dense, Lists, column_from, decode_column, encode_column, filler
from meristem.values.dense import as_dense, dense_numbers, resized, to_bytes

IMAGE = parse_type("image[4, 5, 1]")
rng = np.random.default_rng(0)


def through_file(column: Column) -> tuple[Column, dict[str, Any]]:
    arrays: dict[str, Any] = {}
    encode_column(column, "c", arrays)
    return decode_column(column.type, "c", arrays), arrays


def test_numbers_are_scaled_by_what_stores_them() -> None:
    np.testing.assert_array_equal(
        dense_numbers(np.array([0, 51, 255], np.uint8), "image"), np.float32([0, 0.2, 1])
    )
    np.testing.assert_array_equal(dense_numbers(np.array([-(2**15), 2**14], np.int16), "signal"), [-1, 0.5])
    assert dense_numbers(np.array([True]), "image").dtype == np.float32
    reals = np.float32([0.25, -3.0])
    assert dense_numbers(reals, "image") is reals
    with pytest.raises(TypeMismatch, match=r"bytes \(uint8\)"):
        dense_numbers(np.array([0, 255]), "image")
    with pytest.raises(TypeMismatch, match="int16"):
        dense_numbers(np.array([0.0, 3000.0]), "signal")
    with pytest.raises(TypeMismatch, match="numbers"):
        dense_numbers(np.array(["a"]), "image")


@pytest.mark.parametrize("text", ["image[4, 5, 1]", "list[image[4, 5, 1]]", "pair[image[4, 5, 1], int]"])
def test_nested_images_come_back(text: str) -> None:
    type_ = parse_type(text)
    pixels = [rng.integers(0, 256, (4, 5, 1)).astype(np.uint8) for _ in range(6)]
    values: list[Any] = pixels
    if type_.name == "list":
        values = [pixels[:2], [], pixels[2:]]
    if type_.name == "pair":
        values = [(p, k) for k, p in enumerate(pixels)]
    column = column_from(values, type_)
    assert column.type == type_
    back, arrays = through_file(column)
    assert any(a.dtype == np.uint8 for a in arrays.values())
    for left, right in zip(column.to_list(), back.to_list(), strict=True):
        np.testing.assert_equal(left, right)


def test_grids_of_images() -> None:
    grid = list_of(list_of(IMAGE))
    items = [rng.random((4, 5, 1)).astype(np.float32) for _ in range(4)]
    column = column_from([[[items[0], items[1]], [items[2], items[3]]], [[items[1]]]], grid)
    back, _ = through_file(column.take(np.array([1, 0, 1])))
    assert [[len(row) for row in each] for each in back.to_list()] == [[1], [2, 2], [1]]
    np.testing.assert_array_equal(back[1][1][0], items[2])


def test_taking_lists_copies_no_pixels() -> None:
    items = Dense(IMAGE, rng.random((6, 4, 5, 1)).astype(np.float32))
    lists = Lists(np.array([0, 2, 6]), items)
    taken = lists.take(np.array([1, 1, 0]))
    assert taken.pool is items
    assert np.shares_memory(taken[0][0], items.data)


def test_only_exact_bytes_travel_as_bytes() -> None:
    data = rng.random((3, 4, 5, 1)).astype(np.float32)
    assert to_bytes(data) is None
    assert to_bytes(np.float32([[0.5]])) is None
    assert to_bytes(np.float32([[-1 / 255]])) is None
    assert to_bytes(np.float32([[np.nan]])) is None
    packed = to_bytes(np.arange(256).astype(np.float32) / np.float32(255))
    assert packed is not None
    assert packed.tolist() == list(range(256))
    back, arrays = through_file(Dense(IMAGE, data))
    assert arrays["c"].dtype == np.float32
    np.testing.assert_array_equal(back.to_list(), data)
    signal = parse_type("signal[2, 1]")
    _, arrays = through_file(Dense(signal, np.ones((3, 2, 1), np.float32)))
    assert arrays["c"].dtype == np.float32


def test_damaged_images_are_refused() -> None:
    for array in (
        np.zeros((2, 4, 5), np.float32),
        np.zeros((2, 5, 5, 1), np.uint8),
        np.zeros((2, 4, 5, 1), np.int64),
    ):
        with pytest.raises(FileFormatError):
            decode_column(IMAGE, "c", {"c": array})
    with pytest.raises(FileFormatError):
        decode_column(parse_type("signal[2, 1]"), "c", {"c": np.zeros((2, 2, 1), np.uint8)})


def test_images_of_several_sizes_make_no_column() -> None:
    with pytest.raises(TypeMismatch, match=r"one size.*\[3, 3, 1\] and \[4, 4, 1\]"):
        column_from([np.zeros((3, 3, 1)), np.zeros((4, 4, 1))], parse_type("image[_, _, 1]"))
    with pytest.raises(TypeMismatch, match=r"shape \(3, 3, 1\)"):
        column_from([np.zeros((3, 3, 1))], IMAGE)
    with pytest.raises(TypeMismatch, match="expected image"):
        column_from([7], IMAGE)
    assert filler(IMAGE, 2).to_list()[0].dtype == np.float32


def test_a_value_is_brought_to_the_size_of_its_type() -> None:
    assert as_dense(np.zeros((4, 5)), IMAGE).shape == (4, 5, 1)
    assert as_dense(np.full((8, 10), 255, np.uint8), IMAGE).min() == 1.0
    signal = parse_type("signal[4, 1]")
    assert as_dense([0.5, 0.25], signal).tolist() == [[0.5], [0.25], [0.0], [0.0]]
    assert as_dense(np.arange(6) / 10, signal)[:, 0].tolist() == np.float32([0, 0.1, 0.2, 0.3]).tolist()
    for bad, said in (
        (np.zeros((4, 5, 3)), "image"),
        (np.full((4, 5), np.nan), "20 that are not"),
        ([[1.0], [1.0, 2.0]], "unequal"),
        (np.zeros((0, 5)), "nothing"),
        ("x", "image"),
    ):
        with pytest.raises(TypeMismatch, match=said):
            as_dense(bad, IMAGE)
    with pytest.raises(TypeMismatch, match=r"vector\[2\]"):
        as_dense([1.0, 2.0, 3.0], Type("vector", params=(2,)))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12), st.integers(1, 12))
def test_resizing_keeps_what_it_should(high: int, wide: int, new_high: int, new_wide: int) -> None:
    flat = resized(np.full((high, wide, 2), 0.75, np.float32), new_high, new_wide)
    assert flat.shape == (new_high, new_wide, 2)
    np.testing.assert_allclose(flat, 0.75, atol=1e-6)
    slope = np.linspace(0, 1, wide, dtype=np.float32)[None, :, None].repeat(high, 0)
    sloped = resized(slope, new_high, new_wide)
    assert (np.diff(sloped[0, :, 0]) >= -1e-6).all()
    assert sloped.min() >= -1e-6
    assert sloped.max() <= 1 + 1e-6


def test_pairs_of_images() -> None:
    type_ = pair_of(IMAGE, IMAGE)
    column = column_from([(np.zeros((4, 5, 1)), np.ones((4, 5, 1)))], type_)
    assert column[0][1].mean() == 1.0
