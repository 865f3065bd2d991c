"""Classes as numbers."""

from __future__ import annotations

import pytest

import meristem.primitives  # noqa: F401
from meristem.errors import TypeMismatch
from meristem.language import evaluate, parse_term
from meristem.language.python_form import to_python
from meristem.language.reference import evaluate_plainly
from meristem.types import Type, class_of
from meristem.values import column_from

CODES = class_of("7", "-2", "0", "10")


def test_a_class_of_numbers_is_a_number() -> None:
    column = column_from(["10", "-2", "7", "0"], CODES)
    term = parse_term("add(class_number(x), 1)")
    result = evaluate(term, {"x": column})
    assert result.to_list() == [11, -1, 8, 1]
    assert result.column.type == Type("int")
    assert evaluate_plainly(term, {"x": column})[0] == [11, -1, 8, 1]
    assert "return int(x) + 1" in to_python(term, inputs={"x": CODES})


@pytest.mark.parametrize("labels", [("cat", "dog"), ("1", "one"), ("1.5",), ("1" * 19,), ("\u0661",)])
def test_other_labels_are_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(TypeMismatch, match="whole numbers"):
        evaluate(parse_term("class_number(x)"), {"x": column_from([labels[0]], class_of(*labels))})
