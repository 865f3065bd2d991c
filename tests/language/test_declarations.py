"""What a module kind or a primitive declares wrongly is refused with words that say what to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import meristem as ms
import meristem.modules
import meristem.primitives
from declared import declared
from meristem.errors import BrokenContract, MeristemError, Reason
from meristem.language import evaluate, failing, parse_term, primitive, subroutine
from meristem.language.kinds import Fitted, Integer, Kinds, ModuleKind, OneOf, Real, register
from meristem.types import INT, REAL, Type, list_of
from meristem.values import Column, Dense, Scalars, column_from


class Halved(ModuleKind):
    """A kind that is right; others differ in one thing."""

    name = "halved_on_trial"
    mode = "unsupervised"
    doc = "entries halved"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        return inputs[0]

    def fit(self, inputs: Any, settings: Any, context: Any) -> Any:
        return Fitted({"factor": np.array([0.5])})

    def forward(self, arrays: Any, inputs: Any, settings: Any, output: Type) -> Any:
        return Dense(output, inputs[0].data * arrays["factor"])

    def validate(self, arrays: Mapping[str, Any], inputs: Sequence[Type], output: Type) -> None:
        pass


def kind(**attributes: Any) -> type[ModuleKind]:
    return type("Trial", (Halved,), {"__module__": __name__, **attributes})


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        (
            {"mode": "unsupervized"},
            "expected one of 'unsupervised', 'supervised', 'gradient' as 'mode', got 'unsup",
        ),
        ({"doc": ""}, "expected a line on what it gives as 'doc', got ''"),
        ({"doc": None}, "as 'doc', got None"),
        (
            {"name": "Halved!"},
            "expected a name in small letters, such as 'winsorize', as 'name', got 'Halved!'",
        ),
        ({"version": "1"}, "expected an integer of at least 1 as 'version', got '1'"),
        ({"choices": ["share"]}, "as 'choices', got ['share']"),
        ({"choices": {"share": 0.1}}, "the choice 'share' should be Real, Integer or OneOf, got 0.1"),
        (
            {"choices": {"s": Real(0.5, 0.001, 0.2)}},
            "the choice 's' expects a number from 0.001 to 0.2 as its default",
        ),
        (
            {"choices": {"s": Integer(0, 1, 9)}},
            "the choice 's' expects an integer from 1 to 9 as its default, got 0",
        ),
        ({"choices": {"s": OneOf("c", ("a", "b"))}}, "expects one of 'a', 'b' as its default, got 'c'"),
    ],
)
def test_a_kind_that_declares_something_wrong(attributes: dict[str, Any], words: str) -> None:
    with pytest.raises(BrokenContract) as caught:
        register(kind(**attributes))
    assert words in str(caught.value)
    assert "test_declarations.py" in str(caught.value)


@pytest.mark.parametrize("name", ["name", "mode", "doc"])
def test_a_kind_that_lacks_something(name: str) -> None:
    lacking = {k: v for k, v in vars(Halved).items() if k != name}
    with pytest.raises(BrokenContract, match=f"as {name!r}, got none"):
        register(type("Trial", (ModuleKind,), lacking))


def test_a_kind_that_is_right_is_taken_once() -> None:
    kinds = Kinds()
    kinds.add(Halved())
    with pytest.raises(MeristemError) as caught:
        kinds.add(Halved())
    assert str(caught.value).count("test_declarations.py") == 2


@pytest.fixture
def on_trial() -> Iterator[None]:
    """Names declared in the test are forgotten after it."""
    with declared():
        yield


WRONG_KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "a bare array": (
        {"forward": lambda self, arrays, inputs, settings, output: inputs[0].data},
        "halved_on_trial.forward in .*test_declarations.py: expected a column of .* vector values, got a bare array",
    ),
    "a row too few": (
        {"forward": lambda self, a, inputs, s, output: Dense(output, inputs[0].data[1:])},
        r"expected a column of (\d+) vector values, got one of \d+ vector values",
    ),
    "another type": (
        {"forward": lambda self, a, inputs, s, output: Scalars(REAL, inputs[0].data[:, 0].copy())},
        "got one of .* real values",
    ),
    "no Fitted": (
        {"fit": lambda self, inputs, settings, context: {"factor": np.array([0.5])}},
        r"halved_on_trial.fit in .*: expected Fitted\(arrays\), got dict",
    ),
    "a list in place of an array": (
        {"fit": lambda self, inputs, settings, context: Fitted({"factor": [0.5]})},  # type: ignore[dict-item]
        "expected an array of numbers as 'factor', got list",
    ),
    "an array of objects": (
        {"fit": lambda self, inputs, settings, context: Fitted({"factor": np.array([None])})},
        "expected an array of numbers as 'factor', got object in it",
    ),
}


@pytest.mark.usefixtures("on_trial")
@pytest.mark.parametrize("name", WRONG_KINDS)
def test_a_kind_that_gives_something_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "MERISTEM_STRICT", "1"
    )  # a defect ends the run; without, it is the end of the candidate
    attributes, words = WRONG_KINDS[name]
    register(kind(**attributes))
    rng = np.random.default_rng(0)
    task = ms.Task.from_table({"x": rng.normal(size=60), "y": rng.normal(size=60)}, target="y")
    with pytest.raises(MeristemError, match=words):
        ms.grow(
            task,
            sketch="ridge(halved_on_trial(impute(numbers(row))))",
            budget=ms.Budget(trials=1, cores=0),
            quiet=True,
        )


@pytest.mark.usefixtures("on_trial")
@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda x: x.data * 2, r"got a bare array of shape \(3,\)"),
        (lambda x: x.take(np.arange(2)), "expected a column of 3 int values, got one of 2 int values"),
        (
            lambda x: Scalars(REAL, x.data * 2.0),
            "expected a column of 3 int values, got one of 3 real values",
        ),
        (lambda x: None, "got NoneType"),
        (lambda x: failing(x.take(np.arange(1)), Reason.DOMAIN, np.array([True])), "got one of 1 int value"),
    ],
)
def test_a_columnar_rule_that_gives_no_column_for_each_row(rule: Any, words: str) -> None:
    @primitive("int -> int", examples=[((1,), 2)])
    def twice_on_trial(x: int) -> int:
        """Two times x."""
        return 2 * x

    twice_on_trial.columnar(rule)
    with pytest.raises(BrokenContract, match=words) as caught:
        evaluate(parse_term("twice_on_trial(x)"), {"x": column_from([1, 2, 3], INT)})
    assert "the columnar rule of the primitive twice_on_trial" in str(caught.value)
    assert f"{Path(__file__).name}:" in str(caught.value)


@pytest.mark.usefixtures("on_trial")
def test_a_name_that_is_taken_names_both_places() -> None:
    def sort(items: list[int]) -> list[int]:
        """Sorted."""
        return sorted(items)

    with pytest.raises(MeristemError) as caught:
        primitive("list[int] -> list[int]", examples=[(([1],), [1])])(sort)
    assert "primitives/lists.py:" in str(caught.value)
    assert "test_declarations.py:" in str(caught.value)
    subroutine("thrice_on_trial", "int -> int", "x", "x + x + x", doc="Three times x.")
    with pytest.raises(MeristemError) as caught:
        subroutine("thrice_on_trial", "int -> int", "x", "x * 3", doc="Three times x.")
    assert str(caught.value).count("test_declarations.py:") == 2


def test_rows_that_failed_before_are_not_counted() -> None:
    column: Column = evaluate(
        parse_term("reverse(rest(xs))"), {"xs": column_from([[1, 2, 3], [], [4, 5]], list_of(INT))}
    ).column
    assert column[0] == [3, 2]
