"""What parts bring: programs without their readers, networks that fit, heads as linear maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import meristem as ms
from meristem.growth.adopt import readers_to_train
from meristem.growth.reuse import programs_of, trunks_of
from meristem.language.kinds import KINDS, FitContext, settings_of, softmax
from meristem.language.terms import Term
from meristem.language.text import format_term, parse_term
from meristem.model.program import Program
from meristem.model.program_model import ProgramModel
from meristem.modules._heads import HEADS, fit_linear_head
from meristem.search.hybrid import look_at
from meristem.types import BOOL, INT, Type, class_of, parse_type
from meristem.values import Dense, Scalars, filler

TEN = class_of(*map(str, range(10)))


def part_of(text: str, inputs: dict[str, str], target: Type = INT) -> ProgramModel:
    """A model whose reader was never trained: only its program counts."""
    from meristem.language.infer import infer
    from meristem.language.kinds import GradientKind
    from meristem.language.terms import Module

    types = {name: parse_type(each) for name, each in inputs.items()}
    term = parse_term(text)
    fit: dict[str, Any] = {}
    for typed in infer(term, types, target).walk():
        if isinstance(typed.term, Module):
            kind = KINDS.find(typed.term.kind)
            assert isinstance(kind, GradientKind)
            network = kind.build(
                [typed.children[0].type], typed.type, settings_of(kind, {}), np.random.default_rng(0)
            )
            fit[typed.term.slot] = kind.arrays_of(network)
    program = Program(term, types, target, fit, exact=True)
    return ProgramModel(
        program, "part", "output", {n: filler(t, 0) for n, t in types.items()}, filler(target, 0), {}
    )


READ = "class_number(convnet{; class[10]}@digit(%s))"


def image_sum(name: str = "xs") -> ProgramModel:
    return part_of(f"sum(map(x => {READ % 'x'}, {name}))", {name: "list[image[8, 8, 1]]"})


def borrowed(model: ProgramModel, inputs: dict[str, str], target: Type = INT) -> list[str]:
    look = look_at({name: parse_type(each) for name, each in inputs.items()})
    return [format_term(each.term) for each in programs_of([model], look, target)]


@pytest.fixture(autouse=True)
def torch_is_there() -> None:
    pytest.importorskip("torch")


def test_a_program_is_kept_without_its_reader() -> None:
    assert borrowed(image_sum(), {"clips": "list[signal[900, 1]]"}) == ["sum(clips)"]
    # Names do not matter, not even those that a lambda binds.
    assert borrowed(image_sum("a"), {"x": "list[signal[900, 1]]"}) == ["sum(x)"]
    spread = part_of(
        f"let seen = map(x => {READ % 'x'}, xs) in max(seen) - min(seen)", {"xs": "list[image[8, 8, 1]]"}
    )
    (text,) = borrowed(spread, {"ys": "list[image[9, 9, 3]]"})
    assert text.replace(" ", "") == "max(ys)-min(ys)"
    both = part_of(f"{READ % 'a'} + {READ % 'b'}", {"a": "image[8, 8, 1]", "b": "image[8, 8, 1]"})
    assert borrowed(both, {"p": "pair[signal[900, 1], signal[900, 1]]"}) == ["p_left + p_right"]


def test_what_does_not_fit_is_left() -> None:
    assert borrowed(image_sum(), {"clip": "signal[900, 1]"}) == []  # not a list
    assert borrowed(image_sum(), {"a": "list[signal[900, 1]]", "b": "list[signal[900, 1]]"}) == []
    assert borrowed(image_sum(), {"clips": "list[signal[900, 1]]"}, BOOL) == []
    alone = part_of(READ % "a", {"a": "image[8, 8, 1]"})
    assert borrowed(alone, {"clip": "signal[900, 1]"}) == []  # a reader alone brings no program


def test_a_program_from_examples_is_one_over_readings() -> None:
    term: Term = parse_term("sum(xs) + 1")
    types = {"xs": parse_type("list[int]")}
    model = ProgramModel(
        Program(term, types, INT, {}, exact=True), "more", "output", {"xs": filler(types["xs"], 0)}, filler(INT, 0), {}
    )  # fmt: skip
    assert borrowed(model, {"images": "list[image[8, 8, 1]]"}) == ["sum(images) + 1"]


def test_networks_are_found_where_their_arrays_fit() -> None:
    eye = part_of(READ % "a", {"a": "image[8, 8, 1]"})
    ear = part_of("class_number(audionet{; class[10]}@digit(c))", {"c": "signal[900, 1]"})
    assert [t.node.kind for t in trunks_of([eye, ear], parse_type("image[8, 8, 1]"))] == ["convnet"]
    assert trunks_of([eye, ear], parse_type("image[20, 20, 1]")) == []
    # One over sounds takes sounds of any length.
    (trunk,) = trunks_of([eye, ear], parse_type("signal[2000, 1]"))
    look = look_at({"clips": parse_type("list[signal[2000, 1]]")})
    (reader,) = readers_to_train([eye, ear], look)
    assert (
        reader.fit[reader.node.slot] is trunk.arrays
        or reader.fit[reader.node.slot].keys() == trunk.arrays.keys()
    )
    assert reader.classes == 10
    assert not reader.frozen


def test_a_head_takes_the_place_of_the_last_layer() -> None:
    eye = part_of(READ % "a", {"a": "image[8, 8, 1]"})
    image = parse_type("image[8, 8, 1]")
    (trunk,) = trunks_of([eye], image)
    rng = np.random.default_rng(0)
    prepared = trunk.kind.prepare(
        [Dense(image, rng.random((30, 8, 8, 1)).astype(np.float32))], trunk.settings
    )
    features = trunk.features(prepared)
    classes = np.arange(30) % 3
    three = class_of("a", "b", "c")
    weights, bias = fit_linear_head("ridge_head", features, classes, three, rng)
    arrays = trunk.with_head(weights, bias, prepared)
    scores = trunk.kind.scores(arrays, prepared, trunk.settings, three)
    np.testing.assert_allclose(scores, features @ weights + bias, atol=1e-4)


def test_turned_images_are_classes_that_are_forgotten() -> None:
    from meristem.modules._network import NetworkKind
    from meristem.training.classes import train_classes

    kind = KINDS.find("deepconv")
    assert isinstance(kind, NetworkKind)
    settings = settings_of(kind, {"width": 4})
    image, five = parse_type("image[8, 8, 1]"), class_of(*"abcde")
    rng = np.random.default_rng(0)
    prepared = rng.random((20, 1, 8, 8)).astype(np.float32)
    arrays, loss = train_classes(
        kind, settings, image, five, prepared, np.arange(20) % 5, rng, steps=5, turned=True
    )
    assert 2.0 < loss < 5.0  # of twenty classes: log 20 = 3.0
    kind.validate_for(arrays, [image], five, settings)
    assert kind.scores(arrays, prepared, settings, five).shape == (20, 5)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("count", [2, 5])
def test_heads_are_linear(name: str, count: int) -> None:
    rng = np.random.default_rng(1)
    y = np.arange(40) % count
    x = rng.normal(size=(count, 7))[y] + 0.5 * rng.normal(size=(40, 7))
    labels = class_of(*map(str, range(count)))
    kind = KINDS.find(name)
    settings = settings_of(kind, {})
    column = Dense(Type("vector", params=(7,)), x)
    fitted = kind.fit([column], settings, FitContext(Scalars(labels, y), np.random.default_rng(2)))
    said: Any = kind.forward(fitted.arrays, [column], settings, kind.type_of([column.type], labels))
    weights, bias = fit_linear_head(name, x, y, labels, np.random.default_rng(2))
    np.testing.assert_allclose(softmax(x @ weights + bias), said.probabilities, atol=1e-6)


def tones(codes: list[int], seed: int) -> list[np.ndarray[Any, Any]]:
    """Clips of 1,200 samples, one pitch a class."""
    rng = np.random.default_rng(seed)
    time = np.arange(1200) / 8000
    return [
        (0.5 * np.sin(2 * np.pi * (500 + 700 * c) * time + rng.uniform(0, 6)) + 0.02 * rng.normal(size=1200))[:, None]
        for c in codes
    ]  # fmt: skip


@pytest.mark.slow
def test_a_sum_learned_by_eye_is_done_by_ear() -> None:
    rng = np.random.default_rng(3)
    few = [c for c in range(4) for _ in range(4)]
    ear = ms.grow(ms.Task.from_arrays(tones(few, 1), few, name="ear"), budget=300, quiet=True)
    lists = [rng.integers(0, 4, 2 + k % 2).tolist() for k in range(120)]
    task = ms.Task.from_arrays([tones(each, k) for k, each in enumerate(lists)], [sum(x) for x in lists])
    model = ms.grow(task, budget=300, parts=[image_sum(), ear], quiet=True)
    asked = [rng.integers(0, 4, 5).tolist() for _ in range(40)]
    found, _ = model.answers_for([tones(each, 1000 + k) for k, each in enumerate(asked)])
    assert np.mean([a == sum(b) for a, b in zip(found, asked, strict=True)]) > 0.8
    assert "sum(" in model.report().program
