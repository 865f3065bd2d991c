"""Constants worth trying: small numbers, and what the examples themselves show."""

from __future__ import annotations

from collections import Counter
from typing import Any

from meristem.language.terms import ListOf, Literal, Term
from meristem.search.programs.problem import Problem
from meristem.types import BOOL, INT, REAL, TEXT, Type

Constant = tuple[Term, Type, int, Any]
"""Term, type, cost, value."""


_NUMBERS = {0: 2, 1: 2, 2: 2, 3: 3, 4: 3, 5: 3, -1: 4, 6: 4, 7: 4, 8: 4, 9: 4, 10: 4}
"""Numbers that are tried always, and their cost."""
_REALS = {1.0: 2, 2.0: 2, 0.0: 3, 0.5: 3, 3.0: 4, 4.0: 4, 10.0: 4, 100.0: 4, -1.0: 4}


def constants(problem: Problem) -> list[Constant]:
    """The constants to search with. Numbers that the answers show again and again are cheaper than others."""
    found: dict[tuple[str, Any], Constant] = {}

    def add(value: Any, type: Type, cost: int) -> None:
        key = (str(type), repr(value))
        if key not in found or found[key][2] > cost:
            found[key] = (literal(value, type), type, cost, value)

    for value, cost in _NUMBERS.items():
        add(value, INT, cost)
    for number, cost in _REALS.items():
        add(number, REAL, cost)
    for flag in (True, False):
        add(flag, BOOL, 4)
    answers = problem.answers.to_list()
    given = [column.to_list() for column in problem.inputs.values()]
    inputs = [[column[i] for column in given] for i in range(len(answers))]
    for value, cost in shown_numbers(inputs, answers):
        add(value, INT, cost)
    for type in {problem.answers.type, *problem.types.values()}:
        if type.name == "list":
            add([], type, 3)
    if all(answer == answers[0] for answer in answers[1:]) and problem.answers.type.name == "list":
        add(answers[0], problem.answers.type, 3 + max(1, len(answers[0]) // 3))
    for run, cost in shown_runs(answers):
        add(run, problem.answers.type, cost)
    for string, cost in shown_texts(inputs, answers):
        add(string, TEXT, cost)
    return list(found.values())


def strings_in(problem: Problem) -> list[str]:
    """The texts of a problem's inputs."""
    found: list[str] = []
    for column in problem.inputs.values():
        for value in column.to_list():
            found += texts_in(value)
    return found


def texts_in(value: Any) -> list[str]:
    """The texts inside of a value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts_in(item)]
    return []


def shown_texts(inputs: list[Any], answers: list[Any]) -> list[tuple[str, int]]:
    """Texts worth trying: separators, what answers have in common, and the answers themselves where they are few."""
    given, made = [texts_in(value) for value in inputs], [texts_in(value) for value in answers]
    if not any(given) and not any(made):
        return []
    found: dict[str, int] = {}

    def add(string: str, cost: int) -> None:
        if 0 < len(string) <= 40:
            found[string] = min(cost, found.get(string, cost))

    count = len(answers)
    add(" ", 3)
    for texts in (given, made):
        marks: Counter[str] = Counter()
        for strings in texts:
            marks.update({c for string in strings for c in string if not (c.isalnum() or c == " ")})
        for mark, times in marks.most_common(12):
            share = times / count
            if share >= 0.3 or count <= 4:
                add(mark, 3 if share > 0.8 else 4)
                every_text = [s for strings in texts for s in strings]
                spaced, every = (sum(s.count(part) for s in every_text) for part in (mark + " ", mark))
                if spaced:
                    add(mark + " ", 3 if spaced == every else 5)
    for run in common_runs([" ".join(strings) for strings in made if strings]):
        add(run, 4)
    for run in common_runs([" ".join(strings) for strings in given if strings]):
        add(run, 5)
    # Letters and digits that an answer has and its input does not must come from a constant.
    fresh: Counter[str] = Counter()
    for before, after in zip(given, made, strict=True):
        old = {c for string in before for c in string.lower()}
        fresh.update({c for string in after for c in string if c.lower() not in old})
    for mark, times in fresh.most_common(8):
        if times >= 2 or count <= 3:
            add(mark, 4)
    if not any(made):  # what is counted or looked for is seen in the inputs only
        letters: Counter[str] = Counter()
        for strings in given:
            letters.update({c for string in strings for c in string if c.isalnum()})
        for mark, _ in letters.most_common(8):
            add(mark, 5)
    whole: Counter[str] = Counter(answer for answer in answers if isinstance(answer, str))
    if len(whole) <= max(2, count // 2):
        for answer, times in whole.most_common(4):
            add(answer, 4 if times > 1 else 6)
    words: Counter[str] = Counter()
    for strings in given:
        words.update({word for string in strings for word in string.split() if len(word) > 1})
    for word, times in words.most_common(6):
        if 2 <= times < count:
            add(word, 5)
    return [("", 3), *found.items()]


def common_runs(strings: list[str]) -> list[str]:
    """The longest texts of two characters or more that stand in every one of some strings."""
    if len(strings) < 2:
        return []
    shortest = min(strings, key=len)[:120]
    found: list[str] = []
    for begin in range(len(shortest)):
        end = begin + 2
        while end <= len(shortest) and all(shortest[begin:end] in string for string in strings):
            end += 1
        run = shortest[begin : end - 1]
        if len(run) >= 2 and not any(run in other for other in found):
            found = [other for other in found if other not in run] + [run]
    return found[:8]


def literal(value: Any, type: Type) -> Term:
    """The term of a constant."""
    if type.name == "list":
        return ListOf(tuple(literal(item, type.item) for item in value))
    return Literal(value, type)


def numbers_in(value: Any) -> set[int]:
    """The whole numbers inside of a value."""
    if isinstance(value, bool):
        return set()
    if isinstance(value, int):
        return {value}
    if isinstance(value, list | tuple):
        return set().union(*(numbers_in(item) for item in value)) if value else set()
    return set()


def shown_numbers(inputs: list[Any], answers: list[Any]) -> list[tuple[int, int]]:
    """Numbers that stand in answers but not in their inputs, with a cost by how often they do."""
    counted: Counter[int] = Counter()
    for given, answer in zip(inputs, answers, strict=True):
        counted.update(numbers_in(answer) - numbers_in(given))
    found = []
    for value, count in counted.most_common(24):
        share = count / len(answers)
        if abs(value) >= 2**30 or (share < 0.3 and len(answers) > 3):
            continue
        # A number that is the whole answer and comes once explains nothing: it only copies that answer.
        copies = count == 1 and any(answer == value for answer in answers)
        found.append((value, 9 if copies else 3 if share > 0.6 else 4))
    return found


def shown_runs(answers: list[Any]) -> list[tuple[list[Any], int]]:
    """The longest runs of two items or more that stand in all of the lists."""
    if len(answers) < 2 or not all(isinstance(answer, list) for answer in answers):
        return []
    shortest = min(answers, key=len)[:60]
    others = {_packed(answer) for answer in answers}
    found: list[list[Any]] = []
    begin = 0
    while begin < len(shortest):
        end = begin + 1
        while end <= len(shortest) and all(_packed(shortest[begin:end]) in other for other in others):
            end += 1
        if end - 1 - begin >= 2:
            found.append(shortest[begin : end - 1])
            begin = end - 1
        else:
            begin += 1
    return [(run, 4 + len(run) // 3) for run in found]


def _packed(items: list[Any]) -> str:
    return "".join(f"<{item!r}>" for item in items)


__all__ = ["constants", "literal"]
