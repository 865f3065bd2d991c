"""Every module kind keeps the same contract: types, determinism, inputs left alone, checked arrays, many sizes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

import meristem.modules  # noqa: F401
from meristem.errors import FileFormatError, MeristemError
from meristem.language.kinds import KINDS, FitContext, Integer, ModuleKind, OneOf, Real, settings_of
from meristem.types import REAL, Type, class_of, dist_of, option_of, parse_type, vector_of
from meristem.values import Column, Dense, Dists, Lists, Rows, column_from, filler

LABELS = class_of("no", "yes", "maybe")


def rows(n: int, rng: np.random.Generator, fields: dict[str, Type]) -> Rows:
    def value(type_: Type) -> Any:
        if type_.name == "option":
            return None if rng.random() < 0.1 else value(type_.item)
        if type_.name == "class":
            return type_.labels[int(rng.integers(len(type_.labels)))]
        if type_.name == "text":
            return " ".join(rng.choice(["free", "call", "now", "you", "are", "late"], 4))
        if type_.name == "bool":
            return bool(rng.random() < 0.5)
        if type_.name == "datetime":
            return datetime(2020, 1, 1) + timedelta(hours=int(rng.integers(9000)))
        return float(rng.normal())

    return Rows({name: column_from([value(t) for _ in range(n)], t) for name, t in fields.items()}, n)


NUMBERS = {"a": option_of(REAL), "b": option_of(REAL), "c": option_of(Type("bool"))}
CLASSES = {"k": option_of(class_of("x", "y", "z")), "big": option_of(class_of(*(f"l{i}" for i in range(60))))}
TEXTS = {"t": option_of(Type("text")), "u": option_of(Type("text"))}


def vectors(n: int, rng: np.random.Generator) -> Dense:
    return Dense(vector_of(5), rng.normal(size=(n, 5)))


def dists(n: int, rng: np.random.Generator) -> Dists:
    p = rng.dirichlet(np.ones(3), size=n)
    empty = filler(dist_of(LABELS), 0)
    assert isinstance(empty, Dists)
    return Dists(p, empty.support)


# What kinds are tried with; each is tested with the first that its `type_of` takes.
MADE: list[Callable[[int, np.random.Generator], list[Column]]] = [
    lambda n, rng: [vectors(n, rng)],
    lambda n, rng: [rows(n, rng, NUMBERS)],
    lambda n, rng: [rows(n, rng, CLASSES)],
    lambda n, rng: [rows(n, rng, TEXTS)],
    lambda n, rng: [dists(n, rng)],
    lambda n, rng: [vectors(n, rng), vectors(n, rng)],
    lambda n, rng: [dists(n, rng), dists(n, rng)],
    lambda n, rng: [column_from(rng.normal(size=n).tolist(), REAL)],
    lambda n, rng: [Dense(Type("image", params=(8, 9, 1)), rng.random((n, 8, 9, 1)).astype(np.float32))],
    lambda n, rng: [Dense(Type("signal", params=(300, 1)), rng.normal(size=(n, 300, 1)).astype(np.float32))],
    lambda n, rng: [Lists(np.arange(n + 1) * 2, Dense(vector_of(3), rng.normal(size=(2 * n, 3))))],
    lambda n, rng: [
        column_from([("x", "y", "z")[i] for i in rng.integers(3, size=n)], class_of("x", "y", "z"))
    ],
]
# In place of them, for kinds that take more at once than these say.
INPUTS: dict[str, Callable[[int, np.random.Generator], list[Column]]] = {
    "blend": lambda n, rng: [dists(n, rng), dists(n, rng)],
    "boost": lambda n, rng: [rows(n, rng, {**NUMBERS, **CLASSES}), vectors(n, rng)],
}
# The answers of kinds whose inputs settle what they can be: the probabilities that they are made with are of `LABELS`.
TARGETS = {"blend": ["class"], "temperature": ["class"]}
TARGET_TYPES = {"class": LABELS, "two": class_of("no", "yes"), "real": REAL}


def inputs_of(kind: ModuleKind, n: int, rng: np.random.Generator) -> list[Column]:
    """Inputs that a kind takes; none where nothing here fits it."""
    for make in [INPUTS[kind.name]] if kind.name in INPUTS else MADE:
        made = make(n, rng)
        if any(takes(kind, made, type_) for type_ in TARGET_TYPES.values()):
            return made
    return []


def takes(kind: ModuleKind, inputs: list[Column], target: Type) -> bool:
    try:
        kind.type_of([c.type for c in inputs], target)
    except MeristemError:
        return False
    return True


# Other tests may declare kinds of their own in the same process.
OURS = [kind for kind in KINDS if type(kind).__module__.startswith("meristem.modules.")]


def cases() -> list[Any]:
    found = []
    for kind in OURS:
        inputs = inputs_of(
            kind, 3, np.random.default_rng(0)
        )  # `test_every_kind_is_covered` says where none is
        targets = TARGETS.get(kind.name) or [
            name for name, type_ in TARGET_TYPES.items() if inputs and takes(kind, inputs, type_)
        ]
        for target in targets[:1] if kind.mode == "unsupervised" else targets:
            found.append(pytest.param(kind, target, id=f"{kind.name}-{target}"))
    return found


def target_of(what: str, n: int, rng: np.random.Generator) -> Column:
    if what == "real":
        return column_from(rng.normal(size=n).tolist(), REAL)
    type_ = LABELS if what == "class" else class_of("no", "yes")
    return column_from([type_.labels[i] for i in rng.integers(len(type_.labels), size=n)], type_)


def fitted(kind: ModuleKind, what: str, n: int = 60, seed: int = 0, **stated: Any) -> Any:
    rng = np.random.default_rng(seed)
    inputs = inputs_of(kind, n, rng)
    target = target_of(what, n, rng)
    if "effort" in kind.choices:  # fifteen steps do
        stated = {"effort": 0.1, **stated}
    settings = settings_of(kind, stated)
    context = FitContext(None if kind.mode == "unsupervised" else target, np.random.default_rng(1))
    output = kind.type_of([c.type for c in inputs], target.type)
    return inputs, settings, output, kind.fit(inputs, settings, context)


def test_every_kind_is_covered() -> None:
    missing = [kind.name for kind in OURS if not inputs_of(kind, 3, np.random.default_rng(0))]
    assert not missing, f"add a line for {', '.join(missing)} to INPUTS in this file: what else it takes"
    known = {"ridge": ["real"], "logistic": ["class", "two"], "boost": ["class", "two", "real"]}
    tested = [(kind.name, target) for kind, target in (case.values for case in cases())]
    for name, targets in known.items():
        assert [target for other, target in tested if other == name] == targets


@pytest.mark.parametrize(("kind", "what"), cases())
def test_fit_and_forward(kind: ModuleKind, what: str) -> None:
    inputs, settings, output, done = fitted(kind, what)
    before = [c.to_list() for c in inputs]
    result = kind.forward(done.arrays, inputs, settings, output)
    assert len(result) == 60
    assert result.type.name == output.name
    if isinstance(result, Dists):
        assert result.type == output
        np.testing.assert_allclose(result.probabilities.sum(axis=1), 1.0, atol=1e-9)
        assert (result.probabilities >= 0).all()
    else:
        assert np.isfinite(getattr(result, "data")).all()  # noqa: B009
    assert repr([c.to_list() for c in inputs]) == repr(before)
    assert all(isinstance(line, str) for line in kind.describe(done.arrays, [c.type for c in inputs], output))
    kind.validate(done.arrays, [c.type for c in inputs], output)


@pytest.mark.parametrize(("kind", "what"), cases())
def test_the_same_seed_gives_the_same_arrays(kind: ModuleKind, what: str) -> None:
    first, second = (fitted(kind, what)[3].arrays for _ in range(2))
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize(("kind", "what"), cases())
def test_each_row_is_answered_on_its_own(kind: ModuleKind, what: str) -> None:
    inputs, settings, output, done = fitted(kind, what)
    together = kind.forward(done.arrays, inputs, settings, output)
    tolerance = 1e-5 if kind.mode == "gradient" else 1e-9
    for count in (0, 1, 7):
        part = np.arange(count)
        alone = kind.forward(done.arrays, [c.take(part) for c in inputs], settings, output)
        assert len(alone) == count
        for i in range(count):
            left, right = alone[i], together[i]
            if isinstance(left, dict):
                left, right = list(left.values()), list(right.values())
            if not isinstance(left, str):  # networks run in single precision
                np.testing.assert_allclose(left, right, **dict.fromkeys(("rtol", "atol"), tolerance))
            else:
                assert left == right


@pytest.mark.parametrize(("kind", "what"), cases())
def test_values_at_the_ends_of_each_choice(kind: ModuleKind, what: str) -> None:
    for name, range_ in kind.choices.items():
        ends = range_.options if isinstance(range_, OneOf) else (range_.low, range_.high)
        for end in ends:
            if kind.name == "boost" and name == "rounds" and end == 10000:
                end = 300  # ten thousand rounds are allowed, and slow
            if name == "effort" and end == 4.0:
                end = 0.2  # as slow
            inputs, settings, output, done = fitted(kind, what, 40, **{name: end})
            assert len(kind.forward(done.arrays, inputs, settings, output)) == 40
        if isinstance(range_, Real | Integer):
            with pytest.raises(MeristemError, match="out of range"):
                settings_of(kind, {name: range_.high * 2 + 1})


@pytest.mark.parametrize(("kind", "what"), cases())
def test_damaged_arrays_are_refused_or_harmless(kind: ModuleKind, what: str) -> None:
    """Arrays from a file may be anything: what `validate` lets through must run and end."""
    inputs, settings, output, done = fitted(kind, what)
    types = [c.type for c in inputs]
    for name in done.arrays:
        rest = {k: v for k, v in done.arrays.items() if k != name}
        with pytest.raises(FileFormatError):
            kind.validate(rest, types, output)
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(60):
        name = sorted(done.arrays)[int(rng.integers(len(done.arrays)))]
        broken = done.arrays[name].copy()
        if broken.size == 0:
            continue
        raw = broken.view(np.uint8).reshape(-1)
        raw[int(rng.integers(len(raw)))] ^= np.uint8(1 << int(rng.integers(8)))
        arrays = {**done.arrays, name: broken}
        try:
            kind.validate(arrays, types, output)
        except FileFormatError:
            refused += 1
            continue
        began = time.monotonic()
        with np.errstate(all="ignore"):
            kind.forward(arrays, inputs, settings, output)
        assert time.monotonic() - began < 5
    assert refused < 60


@pytest.mark.parametrize("kind", [k for k in OURS if k.name != "constant"], ids=lambda k: k.name)
@pytest.mark.parametrize("wrong", ["list[int]", "(int) -> int"])
def test_wrong_inputs_are_said(kind: ModuleKind, wrong: str) -> None:
    with pytest.raises(MeristemError):
        kind.type_of([parse_type(wrong)], LABELS)
