from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from meristem.errors import FileFormatError, InputError
from meristem.executors import _wire
from meristem.executors._wire import check_arrays, copy_array, dump_json, pack, unpack


def read(data: bytes):
    """Read one frame as a worker does, and return it with what is left."""
    reader, position = unpack(), 0
    try:
        while True:
            view = next(reader)
            assert len(view) > 0, "an empty buffer would look like the end of the pipe"
            view[:] = data[position : position + len(view)]
            position += len(view)
    except StopIteration as stop:
        return stop.value, data[position:]


def travel(arrays, payload=None):
    data = b"".join(pack({"kind": "x"}, dump_json(payload or {}), check_arrays(arrays)))
    frame, rest = read(data + b"rest")
    assert rest == b"rest"
    assert frame.header == {"kind": "x"}
    return frame


ARRAYS = {
    "bool": np.array([True, False]),
    "bytes": np.arange(256, dtype=np.uint8),
    "empty": np.zeros((0, 3)),
    "scalar": np.array(1.5),
    "text": np.array(["ä", "", "日本"]),
    "no text": np.array(["", ""], dtype="<U0") if np.dtype("<U0").itemsize else np.array([""]),
    "bytes text": np.array([b"ab", b""]),
    "dates": np.array(["2020-01-01", "NaT"], dtype="M8[ns]"),
    "durations": np.array([1, 2], dtype="m8[s]"),
    "complex": np.array([1 + 2j]),
    "half": np.array([1.0], dtype=np.float16),
    "big endian": np.arange(3, dtype=">f8"),
    "every other": np.arange(12).reshape(3, 4)[:, ::2],
    "backwards": np.arange(5)[::-1],
    "broadcast": np.broadcast_to(np.arange(3.0), (4, 3)),
    "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "deep": np.zeros((1,) * 12),
    "wide": np.zeros((3, 0, 1 << 40)),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_arrive_as_they_were(name):
    array = ARRAYS[name]
    got = travel({name: array}).arrays[name]
    assert got.dtype == array.dtype
    assert got.shape == array.shape
    assert got.tobytes() == array.tobytes()
    assert got.flags.writeable
    assert got.flags.aligned
    assert got.flags.f_contiguous if array.flags.f_contiguous else got.flags.c_contiguous


@given(hnp.arrays(dtype=hnp.scalar_dtypes(), shape=hnp.array_shapes(min_dims=0, min_side=0, max_side=4)))
def test_any_array_arrives_as_it_was(array):
    got = travel({"a": array.T, "b": array}).arrays
    for name, sent in (("a", array.T), ("b", array)):
        assert (got[name].dtype, got[name].shape) == (sent.dtype, sent.shape)
        assert got[name].tobytes() == sent.tobytes()
        if min(sent.shape, default=1) > 1:  # strides of other arrays mean nothing
            assert copy_array(check_arrays({"x": sent})["x"]).strides == got[name].strides


def test_several_arrays_keep_their_order():
    arrays = {str(n): np.full(n, n) for n in range(20)}
    got = travel(arrays).arrays
    assert list(got) == list(arrays)
    assert all(np.array_equal(got[name], arrays[name]) for name in arrays)


text = st.text('aä日\ud800"\\\n\0', max_size=4)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(text, plain, max_size=4))
def test_any_plain_payload_arrives_as_it_was(payload):
    assert travel({}, payload).payload == payload


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array([object()]), "objects and records"),
        (np.array([(1, 2.0)], dtype="i4,f8"), "objects and records"),
        (np.ma.masked_array([1, 2], [True, False]), "got MaskedArray"),
        ([1.0, 2.0], "got list"),
        (np.float64(1.0), "got float64"),
    ],
)
def test_what_cannot_travel_is_refused(array, words):
    with pytest.raises(InputError, match=words):
        check_arrays({"a": array})


def test_names_are_text():
    with pytest.raises(InputError, match="names"):
        check_arrays({1: np.zeros(1)})


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object(), np.zeros(2), 1j])
def test_payloads_that_json_has_no_form_for_are_refused(value):
    with pytest.raises(InputError, match="plain data"):
        dump_json({"a": value})


def test_a_payload_that_contains_itself_is_refused():
    endless: list = []
    endless.append(endless)
    with pytest.raises(InputError, match="plain data"):
        dump_json({"a": endless})


def header(*specs, size=0, magic=b"MSW1"):
    text = json.dumps({"arrays": list(specs)}).encode()
    return struct.pack("<4sQQ", magic, size or len(text), 2) + text + b"{}" + bytes(100)


@pytest.mark.parametrize(
    "data",
    [
        header(magic=b"PK\3\4"),
        header(size=1 << 60),
        header(["a", "|O", [1], "C"]),
        header(["a", "O", [1], "C"]),
        header(["a", "|V8", [1], "C"]),
        header(["a", "i8,O", [1], "C"]),
        header(["a", "<f8", [-1], "C"]),
        header(["a", "<f8", [1.5], "C"]),
        header(["a", "<f8", [True], "C"]),
        header(["a", "<f8", 3, "C"]),
        header(["a", "<f8", [1] * 40, "C"]),
        header(["a", "<f8", [1], "K"]),
        header([1, "<f8", [1], "C"]),
        header(["a", "<f8", [1]]),
        header(["a", None, [1], "C"]),
        struct.pack("<4sQQ", b"MSW1", 4, 2) + b"[{]}{}",
        struct.pack("<4sQQ", b"MSW1", 2, 2) + b"[]{}",
        struct.pack("<4sQQ", b"MSW1", 2, 2) + b"{}{}",
        struct.pack("<4sQQ", b"MSW1", 13, 2) + b'{"arrays":[]}' + b"{]",
    ],
)
def test_damaged_frames_are_refused(data):
    with pytest.raises(FileFormatError):
        read(data)


def test_arrays_without_room_are_skipped_and_the_next_frame_is_read(monkeypatch):
    arrays = {"small": np.ones(3), "large": np.ones(500_000), "after": np.ones(4)}
    data = b"".join(pack({"kind": "x"}, b'{"a":1}', arrays))
    empty = np.empty

    def refuse(size, *args):
        if size > 1_000_000:
            raise MemoryError
        return empty(size, *args)

    monkeypatch.setattr(_wire.np, "empty", refuse)
    frame, rest = read(data + data)
    assert frame.lost
    assert (frame.payload, frame.arrays) == ({}, {})
    assert rest == data


def test_numpy_scalars_become_plain():
    payload = {"i": np.int64(3), "b": np.bool_(True), "f": np.float32(0.5)}
    assert json.loads(dump_json(payload)) == {"i": 3, "b": True, "f": 0.5}
