"""Answers that are known texts but for a few words, and what stands before an ending that all share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import meristem.primitives  # noqa: F401
from meristem.language.terms import Variable
from meristem.language.text import format_term
from meristem.search.enumeration import Enumerate
from meristem.search.enumeration._blocks import Block, Leaves
from meristem.search.enumeration._chain import Chain
from meristem.search.enumeration._edits import edits_between
from meristem.search.enumeration._pools import FAIL, Pools
from meristem.search.programs import Problem
from meristem.types import INT, TEXT, list_of
from meristem.values import column_from

WORDS = st.lists(st.text("ab ,", max_size=6), min_size=1, max_size=4)


@given(WORDS, WORDS)
def test_edits_make_all_that_is_wanted(given_texts: list[str], wanted: list[str]) -> None:
    count = min(len(given_texts), len(wanted))
    current, wanted = given_texts[:count], wanted[:count]
    edits = edits_between(current, wanted)
    if edits is not None:
        for old, new in edits:
            assert old
            current = [text.replace(old, new) for text in current]
        assert current == wanted


@pytest.mark.parametrize(
    ("texts", "wanted", "edits"),
    [
        (["a", "b"], ["a", "b"], []),
        (["2 St. Mary", "Hill"], ["2 Saint Mary", "Hill"], [("St.", "Saint")]),
        (["colour", "favour", "rum"], ["color", "favor", "rum"], [("ur", "r")]),
        # What is right already must stay: a little of what stands around is taken in.
        (["York", "York, New York", "New York"], ["York", "York, NY", "NY"], [("New York", "NY")]),
        (["x A", "x B", "x C"], ["x 1", "x 2", "x C"], [("A", "1"), ("B", "2")]),
        (["a", "b", "c", "d", "e"], ["1", "2", "3", "4", "e"], None),
        (["", "b"], ["a", "b"], None),
    ],
)
def test_edits_between(texts: list[str], wanted: list[str], edits: list[tuple[str, str]] | None) -> None:
    assert edits_between(texts, wanted) == edits


def test_a_text_right_but_for_a_word_before_an_ending() -> None:
    inputs = ["Paris, FR", "Bonn, Germany, EU", "Turin, IT, EU", "Kiel, Germany", "Aosta Nuova, IT"]
    answers = ["Paris, FR, EU", "Bonn, DE, EU", "Turin, IT, EU", "Kiel, DE, EU", "Aosta Nuova, IT, EU"]
    problem = Problem({"place": column_from(inputs, TEXT)}, column_from(answers, TEXT))
    found = [f for _, f in zip(range(3_000), Enumerate().find(problem), strict=False) if f is not None]
    best = format_term(min(found, key=lambda f: f.cost).term)
    assert best == 'concat_text(replace(remove_text(place, ", EU"), "Germany", "DE"), ", EU")'


@pytest.mark.parametrize("kind", ["text", "list"])
def test_endings(kind: str) -> None:
    pools = Pools()
    type_ = TEXT if kind == "text" else list_of(INT)
    values = [["abc", "xbc"], ["c", "c"], ["bc", "bc"], ["bc", "c"], ["a", "x"], ["q", "q"], ["abc", "c"]]
    columns = [
        [v if kind == "text" else [ord(c) for c in v] for v in values_of]
        for values_of in zip(*values, strict=True)
    ]
    ids = np.stack([pools[type_].intern(column_from(list(column), type_)) for column in columns])
    failing = np.array([[FAIL], [ids[1, 1]]], np.int32)
    ids = np.concatenate([ids, failing], axis=1)
    block = Block(type_, 1, ids, [Leaves([Variable(f"p{k}") for k in range(ids.shape[1])], ids)])
    chain = Chain(pools, type_, ids[:, 0])
    before = {k: pools[type_].column(left).to_list() for k, left in chain.endings(block)}
    wanted = {1: ["ab", "xb"], 2: ["a", "x"], 3: ["a", "xb"]}
    as_text = {
        k: [v if kind == "text" else "".join(map(chr, v)) for v in values] for k, values in before.items()
    }
    assert as_text == wanted
