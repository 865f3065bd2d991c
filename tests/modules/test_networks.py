"""Networks: what torch trains and NumPy runs is the same; they learn, stop in time, and can be handed on."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import meristem.modules  # noqa: F401
from glyphs import glyphs, tones
from meristem.errors import FileFormatError, MeristemError, MissingDependency, TypeMismatch
from meristem.language.kinds import CUT, KINDS, FitContext, GradientKind, settings_of
from meristem.types import BOOL, REAL, Type, class_of, dist_of, parse_type
from meristem.values import Column, Dense, Dists, Lists, Scalars, column_from, offsets_from

FIVE = class_of(*map(str, range(5)))
IMAGE = Type("image", params=(12, 12, 1))


def find(name: str) -> GradientKind:
    kind = KINDS.find(name)
    assert isinstance(kind, GradientKind)
    return kind


def images(count: int, high: int, wide: int, channels: int) -> Dense:
    rng = np.random.default_rng(3)
    type_ = Type("image", params=(high, wide, channels))
    return Dense(type_, rng.random((count, high, wide, channels)).astype(np.float32))


def signals(count: int, samples: int, channels: int) -> Dense:
    rng = np.random.default_rng(4)
    type_ = Type("signal", params=(samples, channels))
    return Dense(type_, rng.normal(size=(count, samples, channels)).astype(np.float32))


def mixed(count: int) -> list[Column]:
    rng = np.random.default_rng(5)
    p = rng.dirichlet(np.ones(5), size=count)
    return [
        Dense(Type("vector", params=(3,)), rng.normal(size=(count, 3)) * 50),
        Scalars(Type("int"), rng.integers(0, 9, count)),
        Scalars(FIVE, rng.integers(0, 5, count)),
        Dists(p, Scalars(FIVE, np.arange(5))),
        Scalars(BOOL, rng.random(count) < 0.5),
    ]


def lists(lengths: list[int], width: int) -> Lists:
    """Lists of vectors of so many numbers each."""
    data = np.random.default_rng(6).normal(size=(sum(lengths), width)) * 3 + 1
    return Lists(offsets_from(np.array(lengths)), Dense(Type("vector", params=(width,)), data))


SOME = lists([3, 1, 0, 5, 2, 2, 0, 1, 4], 3)
CASES: list[Any] = [
    pytest.param("convnet", [images(9, 28, 28, 1)], {}, id="28x28"),
    pytest.param("convnet", [images(9, 5, 7, 1)], {"width": 4}, id="tiny"),
    pytest.param("convnet", [images(9, 1, 1, 1)], {}, id="one pixel"),
    pytest.param("convnet", [images(9, 64, 49, 3)], {"width": 8}, id="large and coloured"),
    pytest.param("audionet", [signals(9, 2000, 1)], {}, id="spectrum"),
    pytest.param("audionet", [signals(9, 50, 2)], {"width": 8}, id="shorter than a window"),
    pytest.param("audionet", [signals(9, 300, 3)], {"front": "raw"}, id="raw"),
    pytest.param("dense", mixed(9), {"hidden": 2}, id="dense"),
    pytest.param("embedding", [Scalars(FIVE, np.arange(9) % 5)], {}, id="embedding"),
    pytest.param("recurrent", [SOME], {"width": 7}, id="recurrent"),
    pytest.param("attention", [SOME], {"width": 13}, id="attention"),
    pytest.param("deepset", [SOME], {"width": 5}, id="deepset"),
    pytest.param("recurrent", [lists([0] * 9, 2)], {}, id="recurrent, empty lists"),
    pytest.param("attention", [lists([0] * 9, 2)], {}, id="attention, empty lists"),
    pytest.param("deepset", [lists([1] * 9, 1)], {}, id="deepset, one number each"),
]


@pytest.mark.parametrize(("name", "inputs", "stated"), CASES)
@pytest.mark.parametrize("output", [FIVE, BOOL, REAL, dist_of(FIVE), parse_type("vector[_]")], ids=str)
def test_numpy_gives_what_torch_gives(
    name: str, inputs: list[Column], stated: dict[str, Any], output: Type
) -> None:
    import torch

    kind, rng = find(name), np.random.default_rng(0)
    settings, types = settings_of(kind, stated), [c.type for c in inputs]
    network = kind.build(types, output, settings, rng)
    x = kind.prepare(inputs, settings)
    network.train()
    for _ in range(3):  # running statistics that are not those of a new network
        network(torch.from_numpy(x) * 1.7 + 0.1)
    network.eval()
    with torch.no_grad():
        expected = network(torch.from_numpy(x)).numpy()
    arrays = kind.arrays_of(network)
    np.testing.assert_allclose(kind.scores(arrays, x, settings, output), expected, atol=1e-5, rtol=1e-5)
    kind.validate_for(arrays, types, output, settings)
    result = kind.forward(arrays, inputs, settings, output)
    assert result.type.name == output.name
    assert len(result) == 9
    if output == FIVE:
        assert isinstance(result, Scalars)
        assert result.data.tolist() == expected.argmax(axis=1).tolist()
        shares = kind.probabilities(arrays, inputs, settings, output)
        torch_shares = torch.softmax(torch.from_numpy(expected), dim=1).numpy()
        np.testing.assert_allclose(shares, torch_shares, atol=1e-5)
    if output.name == "vector":
        assert expected.shape[1] == kind.width_of_features(types, settings)
        assert isinstance(result, Dense)
        assert result.data.shape == expected.shape


@pytest.mark.parametrize("name", ["recurrent", "attention", "deepset"])
def test_a_list_is_answered_alike_however_long_the_others_are(name: str) -> None:
    kind, rng = find(name), np.random.default_rng(0)
    settings = settings_of(kind, {})
    arrays = kind.arrays_of(kind.build([SOME.type], FIVE, settings, rng))
    together = kind.scores(arrays, kind.prepare([SOME], settings), settings, FIVE)
    for row in range(len(SOME)):
        alone = kind.scores(arrays, kind.prepare([SOME.take(np.array([row]))], settings), settings, FIVE)
        np.testing.assert_allclose(alone, together[[row]], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "what"), [("recurrent", "last"), ("attention", "max"), ("deepset", "sum")])
def test_networks_over_lists_learn(name: str, what: str) -> None:
    rng = np.random.default_rng(2)
    lengths = rng.integers(1, 6, 400)
    values = rng.integers(0, 3, int(lengths.sum()))
    offsets = offsets_from(lengths)
    column = Lists(offsets, Dense(Type("vector", params=(3,)), np.eye(3)[values]))
    parts = [values[a:b] for a, b in pairwise(offsets.tolist())]
    answers = [int({"last": p[-1], "max": p.max(), "sum": p.sum()}[what]) for p in parts]
    target = column_from(answers, REAL if what == "sum" else Type("int"))
    if what != "sum":
        target = column_from([str(a) for a in answers], class_of("0", "1", "2"))
    kind = find(name)
    settings = settings_of(kind, {"width": 16})
    rows = np.arange(400)
    done = kind.fit([column.take(rows[:300])], settings, FitContext(target.take(rows[:300]), rng))
    found = kind.forward(done.arrays, [column.take(rows[300:])], settings, target.type)
    assert isinstance(found, Scalars)
    assert isinstance(target, Scalars)
    right = np.abs(found.data - target.data[300:]) < 0.5
    assert right.mean() > 0.95


def test_arrays_go_into_a_network_and_out_again() -> None:
    kind, rng = find("convnet"), np.random.default_rng(0)
    settings = settings_of(kind, {})
    first, second = (kind.build([IMAGE], FIVE, settings, rng) for _ in range(2))
    arrays = kind.arrays_of(first)
    assert any((arrays[n] != a).any() for n, a in kind.arrays_of(second).items())
    kind.load_into(second, arrays)
    for name, array in kind.arrays_of(second).items():
        np.testing.assert_array_equal(array, arrays[name])
    # Another head keeps its own start, the trunk comes over.
    other = kind.build([IMAGE], class_of("a", "b"), settings, rng)
    before = kind.arrays_of(other)
    kind.load_into(other, arrays)
    after = kind.arrays_of(other)
    head = [n for n in after if after[n].shape != arrays[n].shape]
    assert len(head) == 2
    for name in after:
        np.testing.assert_array_equal(after[name], before[name] if name in head else arrays[name])
    with pytest.raises(MeristemError, match="other inputs"):
        kind.load_into(kind.build([IMAGE], FIVE, settings_of(kind, {"width": 8}), rng), arrays)


def accuracy(kind: GradientKind, arrays: Any, x: Dense, y: Any, output: Type) -> float:
    result = kind.forward(arrays, [x], settings_of(kind, {}), output)
    assert isinstance(result, Scalars)
    return float((result.data == y).mean())


def glyph_column(count: int, seed: int) -> tuple[Dense, Any]:
    pixels, labels = glyphs(count, np.random.default_rng(seed))
    return Dense(IMAGE, pixels[..., None] / np.float32(255)), labels


def test_images_are_learned() -> None:
    kind = find("convnet")
    (x, y), (held, truth) = glyph_column(150, 0), glyph_column(300, 1)
    context = FitContext(Scalars(FIVE, y), np.random.default_rng(0))
    fitted = kind.fit([x], settings_of(kind, {}), context)
    assert accuracy(kind, fitted.arrays, held, truth, FIVE) > 0.95
    assert CUT not in fitted.notes
    # A number as the answer: the head gives it in its own unit.
    number = FitContext(Scalars(REAL, 1000.0 + 100.0 * (y == 3)), np.random.default_rng(0))
    fitted = kind.fit([x], settings_of(kind, {}), number)
    given = kind.forward(fitted.arrays, [held], settings_of(kind, {}), REAL)
    assert isinstance(given, Scalars)
    assert float(np.sqrt(((given.data - 1000 - 100 * (truth == 3)) ** 2).mean())) < 25


def test_sounds_are_learned() -> None:
    kind = find("audionet")
    three = class_of("falls", "stays", "rises")
    (x, y), (held, truth) = (tones(n, np.random.default_rng(n)) for n in (90, 200))
    type_ = Type("signal", params=x.shape[1:])
    context = FitContext(Scalars(three, y), np.random.default_rng(0))
    fitted = kind.fit([Dense(type_, x)], settings_of(kind, {}), context)
    assert accuracy(kind, fitted.arrays, Dense(type_, held), truth, three) > 0.9
    # How loud a clip is does not count.
    quiet = kind.forward(fitted.arrays, [Dense(type_, held * 0.25)], settings_of(kind, {}), three)
    loud = kind.forward(fitted.arrays, [Dense(type_, held)], settings_of(kind, {}), three)
    assert np.mean([a == b for a, b in zip(quiet, loud, strict=True)]) > 0.97


def test_rows_count_by_their_weights() -> None:
    kind, rng = find("dense"), np.random.default_rng(0)
    x = Dense(Type("vector", params=(1,)), rng.normal(size=(200, 1)))
    y = Scalars(BOOL, np.arange(200) < 100)
    weights = np.where(np.arange(200) < 100, 1.9, 0.1)
    context = FitContext(y, np.random.default_rng(0), weights)
    arrays = kind.fit([x], settings_of(kind, {}), context).arrays
    shares = kind.probabilities(arrays, [x], settings_of(kind, {}), BOOL)
    assert shares[:, 1].mean() > 0.85


def test_a_deadline_ends_training_and_is_noted() -> None:
    kind = find("convnet")
    pixels, y = glyphs(6000, np.random.default_rng(0), side=16)
    x = Dense(Type("image", params=(16, 16, 1)), pixels[..., None] / np.float32(255))
    began = time.monotonic()
    context = FitContext(Scalars(FIVE, y), np.random.default_rng(0), deadline=began + 1.0)
    fitted = kind.fit([x], settings_of(kind, {"effort": 4.0}), context)
    assert time.monotonic() - began < 2.0
    assert fitted.notes[CUT] is True
    assert accuracy(kind, fitted.arrays, x, y, FIVE) > 0.3  # of five signs


def test_pixels_move_but_the_image_stays_whole() -> None:
    import torch

    kind, rng = find("convnet"), np.random.default_rng(0)
    batch = torch.zeros(2, 1, 16, 16)
    batch[:, :, 7, 8] = 1.0
    seen = set()
    for _ in range(200):
        moved = kind.augment(batch, settings_of(kind, {}), rng)
        assert moved.shape == batch.shape
        assert float(moved.sum()) == 2.0
        place = tuple(torch.nonzero(moved[0, 0])[0].tolist())
        assert abs(place[0] - 7) <= 2
        assert abs(place[1] - 8) <= 2
        seen.add(place)
    assert len(seen) == 25


def test_sizes_that_are_choices_are_checked_in_files() -> None:
    kind = find("convnet")
    wide = settings_of(kind, {"width": 32})
    arrays = kind.arrays_of(kind.build([IMAGE], FIVE, wide, np.random.default_rng(0)))
    kind.validate_for(arrays, [IMAGE], FIVE, wide)
    with pytest.raises(FileFormatError, match="shape"):
        kind.validate(arrays, [IMAGE], FIVE)
    with pytest.raises(FileFormatError, match="missing"):
        kind.validate_for(arrays, [Type("image", params=(40, 40, 1))], FIVE, wide)
    bad = {**arrays, "3.running_var": -np.ones_like(arrays["3.running_var"])}
    with pytest.raises(FileFormatError, match="below 0"):
        kind.validate_for(bad, [IMAGE], FIVE, wide)
    with pytest.raises(FileFormatError, match="dimensions"):
        kind.validate_for(arrays, [parse_type("image[_, _, 1]")], FIVE, wide)


def test_what_a_network_cannot_take_is_said() -> None:
    for name, wrong in (("convnet", "signal[9, 1]"), ("audionet", "image[9, 9, 1]"), ("embedding", "int")):
        with pytest.raises(TypeMismatch, match=name):
            find(name).type_of([parse_type(wrong)], FIVE)
    with pytest.raises(TypeMismatch, match="not list"):
        find("convnet").type_of([IMAGE], parse_type("list[int]"))
    with pytest.raises(TypeMismatch, match="state its output"):
        find("convnet").type_of([IMAGE], None)


def test_prediction_needs_no_torch() -> None:
    code = (
        "import sys, numpy as np, meristem.modules\n"
        "from meristem.language.kinds import KINDS, settings_of\n"
        "from meristem.modules._layers import array_shapes\n"
        "from meristem.types import Type, class_of\n"
        "from meristem.values import Dense\n"
        "kind, five = KINDS.find('convnet'), class_of(*'abcde')\n"
        "settings = settings_of(kind, {})\n"
        "layers = kind.layers((1, 12, 12), settings, five)\n"
        "arrays = {n: np.ones(s, np.float32) for n, s in array_shapes(layers, (1, 12, 12)).items()}\n"
        "x = Dense(Type('image', params=(12, 12, 1)), np.zeros((3, 12, 12, 1), np.float32))\n"
        "print(kind.forward(arrays, [x], settings, five).to_list(), 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['a', 'a', 'a'] False"


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependency, match=r"meristem\[torch\]"):
        find("convnet").build([IMAGE], FIVE, settings_of(find("convnet"), {}), np.random.default_rng(0))


def test_training_leaves_torch_as_it_was() -> None:
    import torch

    threads = torch.get_num_threads()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    kind = find("embedding")
    column = column_from(["1", "2", "1", "0"], FIVE)
    kind.fit([column], settings_of(kind, {}), FitContext(column, np.random.default_rng(0)))
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
