"""How alike two texts are: for names written in several ways, and typing errors."""

from __future__ import annotations

from meristem.errors import EvaluationError, Reason
from meristem.language.vocabulary import primitive, subroutine

_MOST_STEPS = 1_000_000  # steps: products of two lengths up to here


@primitive(
    "text, text -> int",
    cost=3,
    examples=[
        (("kitten", "sitting"), 3),
        (("", "ab"), 2),
        (("a" * 1001, "b" * 1000), EvaluationError),
    ],
)
def edit_distance(one: str, other: str) -> int:
    """How many characters must be put in, taken out or changed to make one text of another. Very long texts fail."""
    if len(one) * len(other) > _MOST_STEPS:
        raise EvaluationError(Reason.SIZE)
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            diagonal, row[j] = row[j], min(diagonal + (a != b), row[j] + 1, row[j - 1] + 1)
    return row[-1]


subroutine(
    "closest",
    "text, list[text] -> text",
    "text, choices",
    "min_by(choice => edit_distance(text, choice), choices)",
    doc="The one of several texts that differs least; the first of several.",
    cost=3,
    examples=[(("New Yrok", ["Newark", "New York", "York"]), "New York"), (("a", []), EvaluationError)],
)
subroutine(
    "same_letters",
    "text, text -> bool",
    "one, other",
    'sort_characters(keep_class(lower(one), "letters")) == sort_characters(keep_class(lower(other), "letters"))',
    doc="Whether two texts have the same letters, in whatever order and case.",
    cost=3,
    examples=[(("Dirty room", "dormitory"), True), (("ab", "aab"), False)],
)
subroutine(
    "equal_ignoring_case",
    "text, text -> bool",
    "one, other",
    "lower(one) == lower(other)",
    doc="Whether two texts are the same but for capitals.",
    cost=2,
    examples=[(("Ada", "ADA"), True), (("a", "b"), False)],
)
