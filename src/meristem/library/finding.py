"""Finding entries: by type, by words, by what they do, by likeness of task.

Everything that all entries are held against stands in arrays: for each entry its type's number and its signature. The
arrays follow the library: what was added is read, what was removed is struck out. The cost of a search is then a
unification for each *distinct* type, a table look-up for each property and entry, and running the likeliest few.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, InputError, MeristemError, TypeMismatch
from meristem.language.json_form import from_json
from meristem.library.entry import Entry
from meristem.library.names import words_of
from meristem.library.running import Runner, equal, runner_of
from meristem.library.signature import FORM, Counts, count_properties, likelihoods, unpack
from meristem.model.words import clean
from meristem.types import Type, function_of, parse_type, rename_apart, unify
from meristem.values import read_type

if TYPE_CHECKING:
    from meristem.library.library import Library
    from meristem.task.examples import ExampleTask

SECONDS = 0.04
"""For running entries on examples: with what comes before it, a search takes less than 50 ms."""
_LEAST_RUN = 8
_RUN_FUEL = 20_000
_POSTINGS = 20_000  # entries of a common word that are looked at, the newest
_TERMS = 4096
_EXAMPLES = 24  # that signatures are made of


@dataclass(frozen=True)
class Match:
    """An entry that was found.

    Args:
        entry: It.
        score: The better the greater; comparable within one search.
        why: What fits, in words.
    """

    entry: Entry
    score: float
    why: str

    def __str__(self) -> str:
        return f"{clean(self.entry.label)}: {clean(self.entry.card.type)} ({self.why})"


class Finding:
    """Finds the entries of a library.

    Args:
        library: It.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._state: tuple[int, int] | None = None
        self._seen = 0  # the highest number read
        self._types: dict[str, int] = {}
        self._parsed: list[Type] = []
        self.numbers = np.zeros(0, np.int64)
        self.type_of = np.zeros(0, np.int32)
        self.same = np.zeros(0, np.uint64)
        self.signatures: NDArray[np.uint8] = unpack([])
        self.alive = np.zeros(0, np.bool_)
        self._terms: OrderedDict[int, tuple[Any, tuple[str, ...]] | None] = OrderedDict()

    # ------------------------------------------------------------------------------------------ the arrays

    def refresh(self) -> None:
        """Read what changed since the last time, by any process."""
        state = self.library.index.state()
        if state == self._state:
            return
        # Only what is shown is kept: the newest version of each name.
        rows = self.library.index.rows(
            "SELECT e.id, e.type, b.same, b.signature FROM entry e JOIN behaviour b ON b.entry = e.id "
            "WHERE e.id > ? AND b.form = ? ORDER BY e.id",
            (self._seen, FORM),
        )
        if rows:
            for _, text, _, _ in rows:
                if text not in self._types:
                    self._types[text] = len(self._parsed)
                    self._parsed.append(rename_apart(read_type(text), "~e"))
            self.numbers = np.concatenate([self.numbers, np.array([r[0] for r in rows], np.int64)])
            types = np.array([self._types[r[1]] for r in rows], np.int32)
            self.type_of = np.concatenate([self.type_of, types])
            # Entries that do the same have one number; what cannot be compared has a number of its own.
            same = [int.from_bytes(r[2][:8], "big") if r[2] is not None else (1 << 63) + r[0] for r in rows]
            self.same = np.concatenate([self.same, np.array(same, np.uint64)])
            new = unpack([r[3] for r in rows])
            self.signatures = (
                new if not self.signatures.size else np.concatenate([self.signatures, new], axis=1)
            )
            self._seen = int(rows[-1][0])
        newest = self.library.index.rows(
            "SELECT id FROM (SELECT id, max(version) FROM entry WHERE removed IS NULL GROUP BY name)"
        )
        self.alive = np.isin(self.numbers, np.array([r[0] for r in newest], np.int64), assume_unique=True)
        self._state = state

    def fitting(self, wanted: Type) -> NDArray[np.bool_]:
        """Which of the types known so far unify with a type, [T]."""
        found = np.zeros(len(self._parsed), np.bool_)
        wanted = rename_apart(wanted, "~w")
        arity, head = len(wanted.args), wanted.result
        for k, type_ in enumerate(self._parsed):
            if len(type_.args) != arity:
                continue
            other = type_.result
            if other.name != head.name and not other.is_variable and not head.is_variable:
                continue
            found[k] = unifies(type_, wanted)
        return found

    # ------------------------------------------------------------------------------------------ searching

    def search(
        self,
        words: str | None = None,
        *,
        type: str | Type | None = None,
        examples: Any = None,
        task: ExampleTask | None = None,
        limit: int = 20,
        seconds: float = SECONDS,
    ) -> list[Match]:
        """See `Library.search`."""
        began = time.perf_counter()
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise InputError(f"limit: expected how many entries to give, 1 or more, got {limit!r}")
        if words is None and type is None and examples is None and task is None:
            raise InputError("expected words, a type=, examples= or a task= to search by, got nothing")
        self.refresh()
        keep = self.alive.copy()
        score = np.zeros(len(keep), np.float32)
        why: list[str] = []
        if words is not None:
            if not isinstance(words, str):
                raise InputError(f"expected words to search by as text, got {words!r:.60}")
            counts = self._by_words(words)
            keep &= counts > 0
            score += counts
            why.append("words")
        if type is not None:
            keep &= self.fitting(wanted_type(type))[self.type_of] if len(keep) else False
            why.append("type")
        if examples is not None:
            asked = examples_of(examples)
            return self._by_examples(asked, keep, limit, began + seconds)
        if task is not None:
            keep &= self.fitting(task_type(task))[self.type_of] if len(keep) else False
            score += self._likelihoods(task)
            why.append("task")
        places = np.flatnonzero(keep)
        order = places[np.lexsort((-self.numbers[places], -score[places]))][:limit]
        said = " and ".join(why)
        entries = {e.number: e for e in self.library.numbered(self.numbers[order].tolist())}
        return [
            Match(entries[int(self.numbers[k])], float(score[k]), said)
            for k in order
            if int(self.numbers[k]) in entries
        ]

    def _by_words(self, words: str) -> NDArray[np.float32]:
        """Of each entry how many of the words it has, rare ones counted for more; 0 where one is missing."""
        total = np.zeros(len(self.numbers), np.float32)
        wanted = [w.casefold()[:40] for w in words_of(words)] or [""]
        have = np.ones(len(self.numbers), np.bool_)
        pieces = {piece.casefold()[:40] for piece in words.split()}
        for word in [w for w in wanted if w in pieces] or wanted:
            rows = self.library.index.rows(
                "SELECT entry FROM word WHERE word = ? ORDER BY entry DESC LIMIT ?", (word, _POSTINGS)
            )
            if not rows:  # the beginning of a word will do
                rows = self.library.index.rows(
                    "SELECT DISTINCT entry FROM word WHERE word >= ? AND word < ? LIMIT ?",
                    (word, word + "\U0010ffff", _POSTINGS),
                )
            found = np.isin(self.numbers, np.fromiter((r[0] for r in rows), np.int64, len(rows)))
            have &= found
            total[found] += 1.0 + math.log((1 + len(self.numbers)) / (1 + len(rows)))
        return np.where(have, total, np.float32(0))

    def _likelihoods(self, task: ExampleTask) -> NDArray[np.float32]:
        holds, asked = task_properties(task)
        return likelihoods(self.signatures, holds, asked)

    def _by_examples(
        self, task: ExampleTask, keep: NDArray[np.bool_], limit: int, deadline: float
    ) -> list[Match]:
        """Entries that answer all examples; checked by running them, the likeliest first, for a short time."""
        found = [
            Match(entry, score, "answers the examples")
            for entry, score, _ in self.answering(task, keep, deadline=deadline, most=limit)
        ]
        return found[:limit]

    def likeliest(
        self, task: ExampleTask, keep: NDArray[np.bool_] | None = None, distinct: bool = True
    ) -> Iterator[tuple[int, float]]:
        """Places of entries of fitting types, those that may do what the examples show first; and how likely.

        Args:
            task: The examples.
            keep: Which entries to look at, [N].
            distinct: Whether of entries that do the same only the newest is given.
        """
        self.refresh()
        alive = self.alive if keep is None else keep & self.alive
        if not len(alive):
            return
        alive = alive & self.fitting(task_type(task))[self.type_of]
        places = np.flatnonzero(alive)
        if not len(places):
            return
        holds, asked = task_properties(task)
        signatures = self.signatures if 2 * len(places) > len(alive) else self.signatures[:, places]
        score = likelihoods(signatures, holds, asked)
        if signatures is self.signatures:
            score = score[places]
        done: set[int] = set()
        chunk = 256
        order: NDArray[np.int64]
        given = 0
        # The best few are what is wanted as a rule: sorting all would take longer than finding them.
        while given < len(places):
            most = min(given + chunk, len(places))
            top = np.argpartition(-score, most - 1)[:most] if most < len(places) else np.arange(len(places))
            order = top[np.lexsort((-self.numbers[places[top]], -score[top]))]
            for k in order[given:]:
                same = int(self.same[places[k]])
                if distinct and same in done:
                    continue
                done.add(same)
                yield int(places[k]), float(score[k])
            given, chunk = most, chunk * 8

    def alike(self, task: ExampleTask, most: int) -> list[int]:
        """Places of the entries of any type that do what the examples show most often, the likeliest first."""
        self.refresh()
        places = np.flatnonzero(self.alive)
        if not len(places):
            return []
        score = self._likelihoods(task)[places]
        order = np.lexsort((-self.numbers[places], -score))[:most]
        return [int(places[k]) for k in order]

    def answering(
        self,
        task: ExampleTask,
        keep: NDArray[np.bool_] | None = None,
        *,
        deadline: float = math.inf,
        most: int = 20,
    ) -> Iterator[tuple[Entry, float, Runner]]:
        """Entries that answer all examples of a task, by running them.

        Args:
            task: The examples.
            keep: Which entries to look at, [N].
            deadline: `time.perf_counter()` time to end by.
            most: The most that are given.
        """
        rows = [task.arguments(k) for k in range(len(task))]
        answers = task.answers.to_list()
        types, result = list(task.input_types.values()), task.answers.type
        tried = given = 0
        for place, score in self.likeliest(task, keep):
            if tried >= _LEAST_RUN and time.perf_counter() > deadline:
                return
            tried += 1
            number = int(self.numbers[place])
            known = self.term_of(number)
            if known is None:
                continue
            term, names = known
            runner = runner_of(term, names, types, result)
            if runner is None:
                continue
            if all(answers_row(runner, inputs, answer) for inputs, answer in zip(rows, answers, strict=True)):
                entries = self.library.numbered([number])
                if entries:
                    yield entries[0], score, runner
                    given += 1
                    if given >= most:
                        return

    def term_of(self, number: int) -> tuple[Any, tuple[str, ...]] | None:
        """The term of an entry where nothing in it is fitted, and its parameters."""
        if number in self._terms:
            self._terms.move_to_end(number)
            return self._terms[number]
        found: tuple[Any, tuple[str, ...]] | None = None
        rows = self.library.index.rows("SELECT card FROM entry WHERE id = ?", (number,))
        if rows:
            try:
                card = self.library.card(rows[0][0])
                if card.term is not None:
                    found = from_json(card.term), card.names
            except FileFormatError:
                found = None  # damaged: `fsck` names it, a search goes on without it
        self._terms[number] = found
        if len(self._terms) > _TERMS:
            self._terms.popitem(last=False)
        return found


def answers_row(runner: Runner, inputs: Sequence[Any], wanted: Any) -> bool:
    """Whether a program gives an answer for a row of inputs."""
    answer = runner.answer(inputs, _RUN_FUEL)
    return answer.there and equal(answer.value, wanted)


def unifies(left: Type, right: Type) -> bool:
    """Whether two types, without variables in common, have an instance in common."""
    try:
        unify(left, right, {})
    except TypeMismatch:
        return False
    return True


def wanted_type(text: str | Type) -> Type:
    """A function type that a user asks for.

    Raises:
        InputError: It cannot be read, or is none of a function.
    """
    try:
        type_ = parse_type(text) if isinstance(text, str) else text
    except MeristemError as error:
        raise InputError(f"type: {error}") from None
    if not isinstance(type_, Type) or not type_.is_function:
        raise InputError(
            f"type: expected the type of a function, such as 'list[int] -> int', got {text!s:.80}"
        )
    return type_


def task_type(task: ExampleTask) -> Type:
    """The function type of a task."""
    return function_of(*task.input_types.values(), task.answers.type)


def task_properties(task: ExampleTask) -> tuple[Counts, Counts]:
    """How often each property holds of a task's examples, and how often it can be asked."""
    count = min(len(task), _EXAMPLES)
    return count_properties([(task.arguments(k), task.answers[k], True) for k in range(count)])


def examples_of(examples: Any) -> ExampleTask:
    """Examples as a task."""
    from meristem.task import Task
    from meristem.task.examples import ExampleTask

    return examples if isinstance(examples, ExampleTask) else Task.from_examples(examples)


__all__ = ["Finding", "Match", "examples_of", "task_properties", "task_type", "unifies", "wanted_type"]
