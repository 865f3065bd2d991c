"""What the benchmark with another solver rests on: its files, and the meaning of its answers."""

from __future__ import annotations

from typing import Any

import pytest

from sygus_terms import Quoted, converted, evaluate, function_of, read

FILE = '''; a comment with ( and "
(set-logic SLIA)
(synth-fun f ((name String) (k Int)) String
  ((Start String (ntString))
   (ntString String (name " " " " "say ""hi""" (str.++ ntString ntString) (int.to.str ntInt)))
   (ntInt Int (1 0 -1 1 (str.to.int ntString)))))
(declare-var name String)
(constraint (= (f "a" 1) "b"))
(check-synth)
'''


def test_a_file_of_version_1_becomes_one_of_version_2() -> None:
    text = converted(FILE, [(("a \\ é", -2), 'x "y"')])
    logic, function, constraint, check = read(text)
    assert logic == ["set-logic", "SLIA"]
    assert check == ["check-synth"]
    assert function[4] == [["Start", "String"], ["ntString", "String"], ["ntInt", "Int"]]
    assert function[5][1][2] == [
        "name",
        Quoted(" "),
        Quoted('say "hi"'),
        ["str.++", "ntString", "ntString"],
        ["str.from_int", "ntInt"],
    ]
    assert function[5][2][2] == ["1", "0", ["-", "1"], ["str.to_int", "ntString"]]
    call, answer = constraint[1][1:]
    assert evaluate(call[1], {}) == "a \\ é"
    assert evaluate(call[2], {}) == -2
    assert evaluate(answer, {}) == 'x "y"'


def test_brackets_that_do_not_match() -> None:
    with pytest.raises(ValueError, match="brackets"):
        read("(a (b)")


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ('(str.++ s "-" s)', "abcab-abcab"),
        ('(str.replace s "b" "")', "acab"),
        ('(str.replace s "" "x")', "xabcab"),
        ("(str.at s 1)", "b"),
        ("(str.at s 9)", ""),
        ("(str.at s (- 1))", ""),
        ("(str.substr s 1 2)", "bc"),
        ("(str.substr s 3 99)", "ab"),
        ("(str.substr s (- 1) 2)", ""),
        ("(str.substr s 1 (- 2))", ""),
        ('(str.indexof s "b" 2)', 4),
        ('(str.indexof s "b" 6)', -1),
        ('(str.indexof s "" 5)', 5),
        ('(str.indexof s "b" (- 1))', -1),
        ('(str.to_int "007")', 7),
        ('(str.to_int "-7")', -1),
        ('(str.to_int "")', -1),
        ("(str.from_int (- 7 3))", "4"),
        ("(str.from_int (- 7))", ""),
        ('(str.prefixof "ab" s)', True),
        ('(str.suffixof "bc" s)', False),
        ('(str.contains s "ca")', True),
        ('(ite (= (str.len s) 5) "five" "other")', "five"),
        ('(let ((t (str.++ s s)) (s "x")) (str.++ t s))', "abcababcabx"),
        ('"\\u{e9}\\u0041"', "éA"),
    ],
)
def test_functions_are_total_as_the_standard_has_them(term: str, value: Any) -> None:
    found = evaluate(read(term)[0], {"s": "abcab"})
    assert found == value
    assert type(found) is type(value)


def test_the_function_of_an_answer() -> None:
    answer = "(\n(define-fun f ((a String) (k Int)) String (let ((_let_1 (+ k 1))) (str.at a _let_1)))\n)"
    found = function_of(answer)
    assert found is not None
    names, body = found
    assert names == ["a", "k"]
    assert evaluate(body, {"a": "xyz", "k": 1}) == "z"
    assert function_of("fail") is None
