"""The likelihood of answers, held against a plain sum over all joint readings."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest
from glance_reader import IMAGE, over_list, reading

from meristem.errors import EvaluationError, Reason, TypeMismatch
from meristem.language.generate import random_term
from meristem.language.interpreter import prepare
from meristem.language.terms import Call, Lambda, Let, Term, Variable
from meristem.language.text import parse_term
from meristem.training.lifted import FAILED, Likelihood, Plans, split_term
from meristem.training.lifted.shapes import Pool
from meristem.training.lifted.tables import answer_key, variables_of
from meristem.types import BOOL, INT, list_of
from meristem.values import column_from

LISTS = {"xs": list_of(IMAGE)}
POOLS = [Pool(IMAGE, np.zeros((0, 2, 3, 1)))]

# What a program over digits means, beside the program.
OVER_LISTS: dict[str, Any] = {
    "sum(DIGITS)": sum,
    "max(DIGITS) - min(DIGITS)": lambda d: max(d) - min(d),
    "argmax(DIGITS)": lambda d: d.index(max(d)),
    "product(DIGITS) % 10": lambda d: int(np.prod(d)) % 10,
    "length(filter(d => d == 2, DIGITS))": lambda d: d.count(2),
    "length(unique(DIGITS))": lambda d: len(set(d)),
    "sort(DIGITS)": sorted,
    "DIGITS == sort(DIGITS)": lambda d: d == sorted(d),
    "get(sort(DIGITS), length(xs) - 2)": lambda d: sorted(d)[-2] if len(d) > 1 else FAILED,
    "first(filter(d => d > 1, DIGITS))": lambda d: next((x for x in d if x > 1), FAILED),
    "fold((s, d) => s * 2 + d, 0, DIGITS)": lambda d: int(sum(x * 2**k for k, x in enumerate(reversed(d)))),
    "if sum(DIGITS) > 5 then max(DIGITS) else min(DIGITS)": lambda d: max(d) if sum(d) > 5 else min(d),
    "sum(DIGITS) + sum(DIGITS)": lambda d: 2 * sum(d),
    "let ds = DIGITS in sum(map(d => d * d, ds)) - max(ds)": lambda d: sum(x * x for x in d) - max(d),
    "to_real(sum(DIGITS)) / to_real(length(xs))": lambda d: sum(d) / len(d),
}


def distributions(rng: np.random.Generator, sizes: list[int], rows: int = 3) -> list[np.ndarray]:
    found = []
    for size in sizes:
        raw = rng.exponential(size=(rows, size))
        found.append(raw / raw.sum(axis=1, keepdims=True))
    return found


def brute(meaning: Any, weights: list[np.ndarray], row: int) -> dict[Any, float]:
    """P(answer) by adding up the probability of each joint reading."""
    found: dict[Any, float] = {}
    for digits in product(*(range(w.shape[1]) for w in weights)):
        answer = answer_key(meaning(list(digits)))
        found[answer] = found.get(answer, 0.0) + float(
            np.prod([w[row, d] for w, d in zip(weights, digits, strict=True)])
        )
    return found


@pytest.mark.parametrize("body", OVER_LISTS)
@pytest.mark.parametrize("length", [1, 2, 4])
def test_programs_over_lists(body: str, length: int) -> None:
    rng = np.random.default_rng(length)
    split = split_term(over_list(body), LISTS)
    variables = variables_of(split, POOLS, [0] * length)
    assert len(variables) == length
    diagram = Plans(split).of({"xs": list(range(length))}, length, variables)
    assert diagram is not None
    weights = distributions(rng, [4] * length)
    used = [weights[v.image] for v in diagram.variables]
    found = diagram.probabilities(used) if used else np.ones((3, 1))
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)
    for row in range(3):
        wanted = brute(OVER_LISTS[body], weights, row)
        got = {answer_key(a): p for a, p in zip(diagram.answers.values, found[row], strict=True)}
        assert got.keys() == wanted.keys()
        for answer, probability in wanted.items():
            assert got[answer] == pytest.approx(probability, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (f"{reading('a')} + {reading('b')}", lambda d: d[0] + d[1]),
        (f"{reading('a')} + {reading('a')}", lambda d: 2 * d[0]),
        (f"if {reading('a')} < 2 then {reading('b')} else 7", lambda d: d[1] if d[0] < 2 else 7),
        (f"let v = {reading('a')} in v * v - v", lambda d: d[0] * d[0] - d[0]),
        (f"{reading('a')} // {reading('b')}", lambda d: d[0] // d[1] if d[1] else FAILED),
        (f"sum([{reading('a')}, {reading('b')}, {reading('a')}])", lambda d: 2 * d[0] + d[1]),
    ],
)
def test_programs_over_two_images(text: str, meaning: Any) -> None:
    split = split_term(parse_term(text), {"a": IMAGE, "b": IMAGE})
    variables = variables_of(split, POOLS * 2, [0, 1])
    diagram = Plans(split).of({"a": 0, "b": 1}, 2, variables)
    assert diagram is not None
    weights = distributions(np.random.default_rng(0), [4, 4])
    found = diagram.probabilities([weights[v.image] for v in diagram.variables])
    for row in range(3):
        wanted = brute(meaning, weights, row)
        got = {answer_key(a): p for a, p in zip(diagram.answers.values, found[row], strict=True)}
        assert got == pytest.approx(wanted, abs=1e-12)


def test_one_image_is_one_variable_however_it_is_reached() -> None:
    text = f"{reading('first(xs)')} - {reading('get(xs, 0)')}"
    split = split_term(parse_term(text), LISTS)
    diagram = Plans(split).of({"xs": [0, 1]}, 2, variables_of(split, POOLS, [0, 0]))
    assert diagram is not None
    assert diagram.answers.values == (0,)  # not -3..3, as it were with two variables


def test_two_readers_of_one_image_are_two_variables() -> None:
    text = f"{reading('a', 3, 'shape')} * 10 + {reading('a', 2, 'colour')}"
    split = split_term(parse_term(text), {"a": IMAGE})
    assert [r.classes for r in split.readers] == [3, 2]
    diagram = Plans(split).of({"a": 0}, 1, variables_of(split, POOLS, [0]))
    assert diagram is not None
    assert sorted(diagram.answers.values) == [0, 1, 10, 11, 20, 21]
    weights = distributions(np.random.default_rng(1), [3, 2], 1)
    found = dict(zip(diagram.answers.values, diagram.probabilities(weights)[0], strict=True))
    assert found[21] == pytest.approx(weights[0][0, 2] * weights[1][0, 1])


def test_features_below_a_head_are_part_of_the_reader() -> None:
    head = "glance{; class[4]}@first(glance{; vector[5]}@features(x))"
    split = split_term(parse_term(f"sum(map(x => parse_int(label({head})), xs))"), LISTS)
    (reader,) = split.readers
    assert [part.gives.name for part in reader.parts] == ["vector", "class"]
    assert reader.takes == IMAGE


def test_bools_and_distributions_are_readings() -> None:
    flag = "glance{; bool}@flag"
    both = split_term(parse_term(f"{flag}(a) and not {flag}(b)"), {"a": IMAGE, "b": IMAGE})
    diagram = Plans(both).of({"a": 0, "b": 1}, 2, variables_of(both, POOLS * 2, [0, 1]))
    assert diagram is not None
    assert diagram.readings.tolist() == [3.0, 1.0]
    dist = split_term(parse_term("label(most_likely(glance{; dist[class[cat, dog]]}@d(a)))"), {"a": IMAGE})
    diagram = Plans(dist).of({"a": 0}, 1, variables_of(dist, POOLS, [0]))
    assert diagram is not None
    assert diagram.answers.values == ("cat", "dog")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("length(xs)", "this one has none"),
        (
            "probability(glance{; dist[class[3]]}@d(first(xs)), most_likely(glance{; dist[class[3]]}@d(first(xs))))",
            "looks",
        ),
        ("sum(entries(glance{; vector[3]}@v(first(xs))))", "none"),
        ("pair(first(xs), glance{; bool}@b(first(xs)))", "may hold no image"),
    ],
)
def test_what_cannot_be_lifted_is_said(text: str, words: str) -> None:
    with pytest.raises(TypeMismatch, match=words):
        split_term(parse_term(text), LISTS)


def test_diagrams_are_small() -> None:
    split = split_term(over_list("sum(DIGITS)", 10), LISTS)
    diagram = Plans(split).of({"xs": list(range(5))}, 5, variables_of(split, POOLS, [0] * 5))
    assert diagram is not None
    assert diagram.states == tuple(9 * t + 1 for t in range(6))
    for body, states in [("max(DIGITS)", 10), ("sum(DIGITS) % 2", 2), ("product(DIGITS) % 10", 10)]:
        split = split_term(over_list(body, 10), LISTS)
        diagram = Plans(split).of({"xs": list(range(4))}, 4, variables_of(split, POOLS, [0] * 4))
        assert diagram is not None
        assert max(diagram.states) == states, body


def random_over_digits(seed: int) -> Term | None:
    """A random term over a list of digits, put above the readings of images."""
    rng = Random(seed)
    inner = random_term(rng, rng.choice([INT, BOOL, list_of(INT)]), {"ds": list_of(INT)}, 14)
    if "ds" not in inner.free_names:
        return None
    digits = Call("map", (Lambda(("x'",), parse_term(reading("`x'`", 3))), Variable("xs")))
    return Let("ds", digits, inner)


def test_random_terms_answer_as_the_plain_program_does() -> None:
    """Lifted reading and concrete program agree on every joint reading, that is, where distributions are certain."""
    tried = 0
    every = np.array(list(product(range(3), repeat=3)))
    for seed in range(160):
        term = random_over_digits(seed)
        if term is None:
            continue
        plain = prepare(term.children()[1], {"ds": list_of(INT)})
        done = plain.run({"ds": column_from(every.tolist(), list_of(INT))}, fuel=3000)
        if (done.failures == Reason.FUEL).any():  # goes on for long
            continue
        wanted = done.to_list()
        split = split_term(term, LISTS)
        variables = variables_of(split, POOLS, [0] * 3)
        diagram = Plans(split).of({"xs": [0, 1, 2]}, 3, variables)
        assert diagram is not None
        certain = [np.eye(3)[every[:, v.image]] for v in diagram.variables]
        found = diagram.probabilities(certain) if certain else np.ones((len(every), 1))
        for row, answer in zip(found, wanted, strict=True):
            got = diagram.answers.values[int(row.argmax())]
            assert row.max() == 1.0
            if isinstance(answer, EvaluationError):
                assert got is FAILED, term
            else:
                assert got is not FAILED, term
                assert answer_key(got) == answer_key(answer), term
        tried += 1
    assert tried > 30


# ---------------------------------------------------------------------------------------------- other walks


def sum_of(length: int, classes: int = 4) -> Any:
    split = split_term(over_list("sum(DIGITS)", classes), LISTS)
    diagram = Plans(split).of({"xs": list(range(length))}, length, variables_of(split, POOLS, [0] * length))
    assert diagram is not None
    return diagram


def test_counting_and_reaching() -> None:
    diagram = sum_of(3)
    assert diagram.readings.sum() == 64
    by = dict(zip(diagram.answers.values, diagram.readings, strict=True))
    assert (by[0], by[1], by[9]) == (1, 3, 1)
    assert diagram.reachable().all()
    few = diagram.reachable([np.array([True, False, False, True])] * 3)
    assert [a for a, r in zip(diagram.answers.values, few, strict=True) if r] == [0, 3, 6, 9]


def test_the_best_reading_explains_a_label() -> None:
    diagram = sum_of(3)
    weights = distributions(np.random.default_rng(5), [4] * 3, 8)
    labels = diagram.answers.find([0, 1, 2, 5, 7, 9, 4, 77])
    found, probability = diagram.best(weights, labels)
    for row, label in enumerate([0, 1, 2, 5, 7, 9, 4]):
        every = [d for d in product(range(4), repeat=3) if sum(d) == label]
        best = max(every, key=lambda d: np.prod([w[row, x] for w, x in zip(weights, d, strict=True)]))
        assert tuple(found[row]) == best
        assert probability[row] == pytest.approx(
            np.prod([w[row, x] for w, x in zip(weights, best, strict=True)])
        )
    assert found[7].tolist() == [-1, -1, -1]
    assert probability[7] == 0


def test_posteriors_are_those_of_bayes() -> None:
    diagram = sum_of(2)
    weights = distributions(np.random.default_rng(6), [4, 4], 2)
    labels = diagram.answers.find([3, 99])
    first, second = diagram.posteriors(weights, labels)
    joint = np.array([weights[0][0, d] * weights[1][0, 3 - d] for d in range(4)])
    np.testing.assert_allclose(first[0], joint / joint.sum())
    np.testing.assert_allclose(second[0], joint[::-1] / joint.sum())
    assert not first[1].any()


# ---------------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize(
    "body", ["sum(DIGITS)", "max(DIGITS) - min(DIGITS)", "get(sort(DIGITS), 1)", "argmax(DIGITS)"]
)
def test_gradients_are_those_of_the_joint_table(body: str) -> None:
    torch = pytest.importorskip("torch")
    split = split_term(over_list(body), LISTS)
    diagram = Plans(split).of({"xs": [0, 1, 2]}, 3, variables_of(split, POOLS, [0] * 3))
    assert diagram is not None
    likelihood = Likelihood(diagram)
    raw = [torch.tensor(w, requires_grad=True) for w in distributions(np.random.default_rng(7), [4] * 3, 4)]
    labels = torch.tensor([0, 1, len(diagram.answers.values) - 1, -1])
    found = likelihood(raw, labels)
    every = np.array(list(product(range(4), repeat=3)))
    ids = torch.from_numpy(diagram.answer(every))
    joint = raw[0][:, every[:, 0]] * raw[1][:, every[:, 1]] * raw[2][:, every[:, 2]]
    wanted = (joint * (ids[None] == labels[:, None])).sum(1)
    torch.testing.assert_close(found, wanted)
    assert found[3] == 0
    got = torch.autograd.grad(torch.log(found + 1e-6).sum(), raw)
    expected = torch.autograd.grad(torch.log(wanted + 1e-6).sum(), raw)
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other)
    assert torch.autograd.gradcheck(lambda *w: likelihood(w, labels), raw)
