"""A small plain enumerator: enough to test what stands around a search, and nothing to do with the real one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from meristem.errors import EvaluationError, MeristemError
from meristem.language import VOCABULARY, Call, Literal, Term, Variable, prepare
from meristem.language.reference import run_row
from meristem.search.programs.check import same
from meristem.search.programs.problem import Finder, Found, Problem
from meristem.types import INT, TEXT, Substitution, Type, rename_apart, substitute, unify
from meristem.values import hashable

NAMES = (
    *("sort", "reverse", "add", "subtract", "multiply", "quotient", "first", "last", "length", "sum", "max"),
    *("take", "drop", "upper", "lower", "words", "concat_text", "text_slice", "text_length", "repeat"),
)


class Tiny(Finder):
    """Bottom-up by size, one program for each row of values.

    Args:
        names: The functions that it uses.
        size: The largest programs that it tries.
    """

    name: ClassVar[str] = "tiny"

    def __init__(self, names: tuple[str, ...] = NAMES, size: int = 4) -> None:
        self.names, self.size = names, size

    def suits(self, problem: Problem) -> bool:
        return True

    def find(self, problem: Problem) -> Iterator[Found | None]:
        rows = [
            dict(zip(problem.inputs, v, strict=True))
            for v in zip(*map(list, problem.inputs.values()), strict=True)
        ]
        answers, wanted = problem.answers.to_list(), problem.answers.type
        allowed = int(problem.wrong * len(answers) + 1e-9)
        known: dict[tuple[Type, Any], Term] = {}
        levels: list[list[tuple[Term, Type, list[Any]]]] = [[] for _ in range(self.size + 1)]
        tried = 0

        def take(term: Term, type_: Type, values: list[Any], size: int) -> Found | None:
            nonlocal tried
            tried += 1
            problem.notes["programs"] = tried
            wrong = tuple(
                k
                for k, (got, answer) in enumerate(zip(values, answers, strict=True))
                if type_ != wanted or got is FAILED or not same(got, answer, wanted, problem.close)
            )
            right = type_ == wanted and len(wrong) <= allowed
            partial = type_ == wanted and len(wrong) < len(answers)
            key = type_, tuple(hashable(v) for v in values)
            if not right and key in known:
                return None
            known[key] = term
            if all(v is not FAILED for v in values):
                levels[size].append((term, type_, values))
            return Found(term, 4.0 * size, wrong) if right or partial else None

        leaves: list[tuple[Term, Type]] = [(Variable(name), type_) for name, type_ in problem.types.items()]
        leaves += [(Literal(k, INT), INT) for k in (0, 1, 2)] + [(Literal(t, TEXT), TEXT) for t in (" ", ".")]
        for term, type_ in leaves:
            values = [row[term.name] if isinstance(term, Variable) else term.value for row in rows]
            yield take(term, type_, values, 1)
        for size in range(2, self.size + 1):
            for name in self.names:
                entry = VOCABULARY.find(name)
                scheme = rename_apart(entry.type, "~")
                for args in self._arguments(levels, len(scheme.parameters), size - 1):
                    solved: Substitution = {}
                    try:
                        for parameter, (_, type_, _) in zip(scheme.parameters, args, strict=True):
                            unify(parameter, type_, solved)
                    except MeristemError:
                        continue
                    result = substitute(scheme.result, solved)
                    term = Call(name, tuple(arg[0] for arg in args))
                    yield take(term, result, _run(entry, args, len(rows), term, problem, rows), size)

    def _arguments(self, levels: list[Any], count: int, size: int) -> Iterator[tuple[Any, ...]]:
        if count == 1:
            yield from ((each,) for each in levels[size])
            return
        for own in range(1, size - count + 2):
            for first in levels[own]:
                for rest in self._arguments(levels, count - 1, size - own):
                    yield (first, *rest)


class _Failed:
    pass


FAILED = _Failed()


def _run(entry: Any, args: Any, count: int, term: Term, problem: Problem, rows: list[Any]) -> list[Any]:
    if not hasattr(entry, "function"):
        program = prepare(term, problem.types)
        found = [run_row(program, row) for row in rows]
        return [FAILED if reason else value for value, reason in found]
    values = []
    for k in range(count):
        try:
            value = entry.function(*(arg[2][k] for arg in args))
            values.append(FAILED if type(value) is int and abs(value) > 2**40 else value)
        except EvaluationError:
            values.append(FAILED)
    return values
