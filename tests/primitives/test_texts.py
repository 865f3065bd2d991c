"""Properties of texts cut up by token classes and separators, of numbers and of dates as texts."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import zip_longest
from random import Random
from typing import Any

import pytest

import meristem.primitives  # noqa: F401
from meristem.errors import EvaluationError
from meristem.language import VOCABULARY, evaluate, parse_term
from meristem.primitives.date_texts import PATTERNS
from meristem.primitives.tokens import TOKEN_CLASSES, _spans_by_character
from meristem.types import TEXT
from meristem.values import column_from

LETTERS = "abcXYZ 019.-+,_/\té\u0301ßΣж漢²\U0001f331"


def texts(count: int) -> list[str]:
    rng = Random(3)
    return ["".join(rng.choice(LETTERS) for _ in range(rng.randint(0, 12))) for _ in range(count)]


def plain(name: str, *args: Any) -> Any:
    return VOCABULARY.find(name)(*args)  # type: ignore[operator]


def run(name: str, *args: str) -> Any:
    columns = {f"x{i}": column_from([arg], TEXT) for i, arg in enumerate(args)}
    return evaluate(parse_term(f"{name}({', '.join(columns)})"), columns).to_list()[0]


@pytest.mark.parametrize("kind", TOKEN_CLASSES)
def test_tokens_and_what_stands_between_them_make_the_text(kind: str) -> None:
    for text in texts(300):
        tokens, between = plain("tokens", text, kind), plain("split_by_class", text, kind)
        assert tokens == [text[start:stop] for start, stop in plain("token_spans", text, kind)]
        assert all(tokens)
        assert "".join(part + token for part, token in zip_longest(between, tokens, fillvalue="")) == text
        if kind not in ("number", "capitalized"):  # elsewhere a token may follow on another
            assert all(between[1:-1])


@pytest.mark.parametrize("kind", [kind for kind in TOKEN_CLASSES if kind != "number"])
def test_tokens_of_ascii_texts_are_those_found_by_character(kind: str) -> None:
    ascii_texts = [
        "".join(map(chr, range(128))),
        *(text.encode("ascii", "ignore").decode() for text in texts(300)),
    ]
    for text in ascii_texts:
        assert plain("token_spans", text, kind) == _spans_by_character(text, kind)


def test_classes_cover_every_character_once() -> None:
    for text in texts(300):
        found = [len("".join(plain("tokens", text, kind))) for kind in ("word", "space", "punctuation")]
        assert sum(found) == len(text)
        assert found[1] + len("".join(plain("tokens", text, "nonspace"))) == len(text)


def test_a_sign_belongs_to_a_number_only_where_no_word_ends() -> None:
    assert plain("tokens", "+106 769-858 (-3) x-1 1.5.2 -.5", "number") == [
        *("+106", "769", "858", "-3", "1", "1.5", "2", "5")
    ]


def test_parts_by_separator_agree_with_python() -> None:
    for text in texts(200):
        for part in (".", "-", "a", " "):
            if part in text:
                assert run("text_before", text, part) == text.partition(part)[0]
                assert run("text_after_last", text, part) == text.rpartition(part)[2]
            assert len(plain("find_all", text, part)) == text.count(part)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_dates_are_read_back_by_the_pattern_that_wrote_them(pattern: str) -> None:
    rng = Random(pattern)
    for _ in range(50):
        date = datetime(1990, 1, 1) + timedelta(seconds=rng.randrange(2 * 10**9))
        text = plain("format_date", date, pattern)
        if "Q" in pattern:
            with pytest.raises(EvaluationError):
                plain("parse_date_as", text, pattern)
        else:
            read = plain("parse_date_as", text, pattern)
            assert plain("format_date", read, pattern) == text or "ddd" in pattern
            if "YYYY" in pattern and "D" in pattern:
                assert read.date() == date.date()


@pytest.mark.parametrize(
    "pattern", ["D MMMM YYYY", "MMM D, YYYY", "YYYY-MM-DD HH:mm:ss", "dddd, Do MMM YYYY h:mm am"]
)
def test_usual_orders_with_a_named_month_or_the_year_first_need_no_hint(pattern: str) -> None:
    rng = Random(5)
    for _ in range(50):
        date = datetime(1900, 1, 1) + timedelta(minutes=rng.randrange(10**8))
        text = plain("format_date", date, pattern)
        for day_first in (False, True):
            assert plain("parse_any_date", text, day_first).date() == date.date()


def test_numbers_are_read_back() -> None:
    rng = Random(7)
    for _ in range(200):
        number = round(rng.uniform(-(10**9), 10**9), 2)
        assert plain("parse_number", plain("format_amount", number, 2)) == number
        whole, base = rng.randint(-(2**63), 2**63 - 1), rng.randint(2, 36)
        assert plain("parse_base", plain("show_base", whole, base), base) == whole
        assert plain("parse_number", "$" + plain("group_thousands", abs(whole))) == float(abs(whole))
