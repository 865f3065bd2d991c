"""Growing programs from examples: the hunt, its end, the choice, and clear words where nothing fits."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

import meristem as ms
from meristem import events
from meristem.errors import InputError, MeristemError, ResourceError
from meristem.growth.clock import Clock
from meristem.growth.programs import grow_program
from meristem.language import format_term, parse_term
from meristem.search.programs import Finder, Found, Problem

sys.path.insert(0, str(Path(__file__).parent))

from tiny_finder import Tiny

DOUBLE = [(1, 2), (2, 4), (5, 10)]
NAMES = [("Ada Lovelace", "A"), ("Grace Hopper", "G"), ("Bob Byron", "B")]


def grow(
    examples: Any, finders: Sequence[Finder] | None = None, budget: Any = None, **options: Any
) -> ms.ProgramModel:
    task = examples if isinstance(examples, ms.ExampleTask) else ms.Task.from_examples(examples)
    limits = ms.Budget.of(ms.Budget(trials=20_000) if budget is None else budget)
    options.setdefault("quiet", True)
    return grow_program(
        task, limits, Clock(limits.limit), finders=[Tiny()] if finders is None else finders, **options
    )


class Given(Finder):
    """Gives what it was made with, then waits."""

    def __init__(self, name: str, found: Sequence[Any], then: int = 0, wait: float = 0.0) -> None:
        self.name, self.found, self.then, self.wait = name, found, then, wait  # type: ignore[misc]

    def suits(self, problem: Problem) -> bool:
        return True

    def find(self, problem: Problem) -> Iterator[Found | None]:
        for each in self.found:
            if isinstance(each, BaseException):
                raise each
            yield each
        for _ in range(self.then):
            time.sleep(self.wait)
            yield None


def given(text: str, cost: float, **options: Any) -> Found:
    return Found(parse_term(text), cost, **options)


# ---------------------------------------------------------------------------------------------- the whole


def test_a_program_is_found_and_answers_new_inputs() -> None:
    model = grow(DOUBLE)
    assert model(7) == 14
    assert model.predict([8, (9,), {"x": 10}]) == [16, 18, 20]
    report = model.report()
    assert report.examples == 3
    assert report.wrong == ()
    assert report.considered > 10
    assert report.programs[0].share > 0
    assert [f.name for f in report.finders] == ["tiny"]
    assert "answers all 3 examples" in report.verdict()


def test_the_registered_finders_are_used_by_default() -> None:
    task = ms.Task.from_examples([([3, 1, 2], [1, 2, 3]), ([5, 4], [4, 5]), ([], [])], name="tidy")
    model = ms.grow(task, budget=5, quiet=True)
    assert model([9, 7, 8, 7]) == [7, 7, 8, 9]
    assert "def tidy(" in model.source()


def test_the_same_seed_and_trials_give_the_same_program() -> None:
    task = ms.Task.from_examples(NAMES)
    models = [ms.grow(task, budget=ms.Budget(trials=25), seed=3, quiet=True) for _ in range(2)]
    assert models[0].hash == models[1].hash
    assert [str(q) for q in models[0].questions()] == [str(q) for q in models[1].questions()]
    few = [grow(DOUBLE, budget=ms.Budget(trials=40)) for _ in range(2)]
    assert few[0].hash == few[1].hash
    assert few[0].report().finders[0].turns == few[1].report().finders[0].turns <= 40


def test_a_budget_in_seconds_is_kept() -> None:
    endless = Given("endless", [given("2 * x", 6)], then=10_000, wait=0.01)
    began = time.monotonic()
    grow(DOUBLE, [endless], budget=20)
    assert time.monotonic() - began < 3  # settled long before
    began = time.monotonic()
    with pytest.raises(MeristemError, match="the time is used up"):
        grow(DOUBLE, [Given("endless", [], then=10_000, wait=0.01)], budget=1)
    assert time.monotonic() - began < 1.55


def test_it_is_settled_when_nothing_likelier_comes() -> None:
    first = Given("first", [given("x + x", 9)], then=10_000, wait=0.001)
    model = grow(DOUBLE, [first], budget=30)
    assert "no likelier program came for" in model.report().ended
    assert model.report().effort.seconds < 3


def test_finders_take_turns_and_those_that_pay_get_more() -> None:
    late = Given("late", [*[None] * 30, given("2 * x", 5)], then=3000)
    idle = Given("idle", [], then=3000)
    model = grow(DOUBLE, [late, idle], budget=ms.Budget(trials=200))
    turns = {f.name: f.turns for f in model.report().finders}
    assert turns["late"] + turns["idle"] <= 200
    assert turns["late"] > 1.5 * turns["idle"]
    assert turns["idle"] >= 30


def test_what_a_finder_gives_is_not_believed_unseen() -> None:
    liar = Given("liar", [given("3 * x", 1), given("text_length(x)", 1), given("2 * x", 6)])
    model = grow(DOUBLE, [liar])
    assert model.report().program == "2 * x"
    assert model.report().finders[0].refuted == 2
    with pytest.raises(MeristemError, match="found none"):
        grow(DOUBLE, [Given("liar", [given("3 * x", 1)])])


def test_a_finder_that_fails_does_not_take_the_others_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERISTEM_STRICT", "0")
    told: list[events.Event] = []
    broken = Given("broken", [ValueError("a bug")])
    full = Given("full", [ResourceError("no room")])
    model = grow(DOUBLE, [broken, full, Tiny()], listeners=[told.append])
    ends = {f.name: f.end for f in model.report().finders}
    assert ends["broken"] == "failed: ValueError: a bug"
    assert ends["full"] == "out of memory"
    assert any(isinstance(e, events.Warned) and "a bug" in e.text for e in told)
    with pytest.raises(
        MeristemError, match=r"report a defect in Meristem .the search 'broken' failed: ValueError"
    ):
        grow(DOUBLE, [broken])
    monkeypatch.setenv("MERISTEM_STRICT", "1")
    with pytest.raises(ValueError, match="a bug"):
        grow(DOUBLE, [broken])


def test_events_tell_what_happens() -> None:
    told: list[events.Event] = []
    grow(DOUBLE, listeners=[told.append])
    kinds = [type(e).__name__ for e in told]
    assert kinds[0] == "Started"
    assert "Improved" in kinds
    assert [e.name for e in told if isinstance(e, events.Phase)] == ["searching", "choosing", "done"]


def test_progress_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    grow(DOUBLE, quiet=False, budget=5)
    assert "growing a model for program: 5 s" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------- stopping


def test_the_first_interrupt_gives_the_best_so_far() -> None:
    slow = Given("slow", [given("x + x", 9)], then=10_000, wait=0.02)
    slow.found = [None, *slow.found]
    pressed = threading.Timer(0.15, lambda: os.kill(os.getpid(), signal.SIGINT))
    pressed.start()
    model = grow(DOUBLE, [slow], budget=ms.Budget(trials=100_000))
    pressed.join()
    assert model(4) == 8
    assert model.report().ended == "stopped by the user"


def test_an_interrupt_before_anything_fits_says_so() -> None:
    pressed = threading.Timer(0.15, lambda: os.kill(os.getpid(), signal.SIGINT))
    pressed.start()
    with pytest.raises(MeristemError, match="stopped by the user"):
        grow(DOUBLE, [Given("slow", [], then=10_000, wait=0.02)], budget=ms.Budget(trials=100_000))
    pressed.join()


def test_the_second_interrupt_raises() -> None:
    class Stubborn(Finder):
        name: ClassVar[str] = "stubborn"

        def suits(self, problem: Problem) -> bool:
            return True

        def find(self, problem: Problem) -> Iterator[Found | None]:
            for _ in range(500):  # one turn that takes long
                time.sleep(0.01)
            yield None

    presses = [threading.Timer(t, lambda: os.kill(os.getpid(), signal.SIGINT)) for t in (0.1, 0.2)]
    for press in presses:
        press.start()
    with pytest.raises(KeyboardInterrupt):
        grow(DOUBLE, [Stubborn()], budget=30)
    for press in presses:
        press.join()


# ---------------------------------------------------------------------------------------------- the choice


def test_the_likeliest_of_those_that_fit_is_chosen() -> None:
    both = Given("both", [given("x + x", 12), given("2 * x", 6)])
    report = grow(DOUBLE, [both]).report()
    assert report.program == "2 * x"
    assert report.bits == pytest.approx(3)


def test_further_inputs_tell_programs_apart() -> None:
    # Two programs that are as likely: on the further inputs one of them has no value.
    risky, safe = given('first(split(x, " "))', 10), given("first_character(x)", 10.2)
    task = ms.Task.from_examples([("a b", "a"), ("c d", "c")], further=["ab", "abc", "xyz", "ef gh"])
    third = given("text_slice(x, 0, 1)", 10.4)
    assert grow(task, [Given("three", [risky, safe, third])]).report().program != format_term(risky.term)


def test_a_branch_that_rests_on_one_example_ranks_below() -> None:
    examples = [(1, 2), (2, 4), (3, 6), (4, 9)]
    branch = given("if x == 4 then 9 else 2 * x", 14, support=1)
    plain = given("x * x // 2 + 1 + (if x == 1 then 1 else 1) - 1", 16)
    with pytest.raises(MeristemError):
        grow(examples, [Given("plain", [plain])])
    alone = grow(examples, [Given("branch", [branch])])
    assert alone.report().support == 1
    assert "rests on one example" in alone.report().verdict()
    other = given("2 * x + quotient(x, 4)", 16)
    assert grow(examples, [Given("both", [branch, other])]).report().program == "2 * x + x // 4"


def test_questions_separate_the_programs() -> None:
    model = grow(
        [("Ada Lovelace", "Lovelace"), ("Alan Turing", "Turing")], [Given("one", [given("last_word(x)", 6)])]
    )
    (question, *_) = model.questions(2)
    assert len(question.answers) > 1
    assert question.answers[0].chosen
    assert question.answers[0].value == model(*question.arguments)
    assert sum(answer.share for answer in question.answers) == pytest.approx(1, abs=0.05)
    other = next(a for a in question.answers[1:] if not a.failure)
    # The answer to a question, added as an example, settles it.
    added = [("Ada Lovelace", "Lovelace"), ("Alan Turing", "Turing"), (question.arguments[0], other.value)]
    finder = Given("two", [given("last_word(x)", 6), Found(other.term or parse_term("x"), 7)])
    assert grow(added, [finder])(*question.arguments) == other.value


# ---------------------------------------------------------------------------------------------- wrong examples


def test_contradictions_are_refused_and_named() -> None:
    with pytest.raises(InputError) as caught:
        grow([(1, 2), (2, 4), (1, 3), (3, 6)])
    assert "(example 1: 1 -> 2) and (example 3: 1 -> 3)" in str(caught.value)
    assert "wrong=0.25" in str(caught.value)


def test_a_share_of_wrong_examples_is_tolerated_and_told() -> None:
    examples = [(1, 2), (2, 4), (1, 3), (3, 6), (4, 8), (5, 10)]
    model = grow(examples, wrong=0.2)
    assert model(6) == 12
    (wrong,) = model.report().wrong
    assert (wrong.number, wrong.inputs, wrong.wanted, wrong.got) == (3, "1", "3", "2")
    assert "5 of 6 examples" in model.report().verdict()
    assert "example 3: 1 -> 3, the program gives 2" in str(model.report())
    for share in (-0.1, 0.5, True, "much"):
        with pytest.raises(InputError, match="wrong: expected a share"):
            grow(examples, wrong=share)


def test_all_wrong_is_not_tolerated() -> None:
    with pytest.raises(InputError, match="correct them"):
        grow([(1, 2), (1, 3), (1, 4)], wrong=0.3)


def test_nothing_fits_says_how_near_the_best_came() -> None:
    with pytest.raises(MeristemError) as caught:
        grow([(1, 2), (2, 4), (3, 7), (4, 11), (5, 2)], [Tiny(("add", "multiply"), 3)])
    text = str(caught.value)
    assert "expected a program for 5 examples" in text
    assert "answers 2 of them" in text
    assert "programs looked at" in text
    assert "sketch=" in text
    assert "state the types" in text


def test_types_that_no_finder_suits() -> None:
    class Never(Tiny):
        name: ClassVar[str] = "never"

        def suits(self, problem: Problem) -> bool:
            return False

    with pytest.raises(MeristemError, match="no way of searching suits these types"):
        grow(DOUBLE, [Never()])


# ---------------------------------------------------------------------------------------------- sketches, start


def test_a_sketch_without_holes_is_checked() -> None:
    model = grow([([3, 1], [1]), ([5, 4, 2], [2])], [], sketch="take(sort(x), 1)")
    assert model([9, 8]) == [8]


def test_a_sketch_with_holes_is_filled() -> None:
    task = ms.Task.from_examples([([3, 1, 2], [1, 2]), ([5, 4, 9, 7], [4, 5]), ([8], [8])])
    model = ms.grow(task, sketch="take(sort(?), ?)", budget=10, quiet=True)
    assert model([6, 5, 4]) == [4, 5]
    assert model.report().program.startswith("take(sort(")


@pytest.mark.parametrize(
    ("sketch", "words"),
    [
        ("take(sort(?)", "cannot be read"),
        ("text_length(?)", "expected list[int], got int"),
        ("sort(y)", "unknown name 'y'"),
        ("nonsense(?)", "unknown function 'nonsense'"),
        (5, "expected a program as text"),
    ],
)
def test_a_sketch_that_cannot_be_used_is_said(sketch: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        grow([([3, 1], [1, 3])], sketch=sketch)
    assert words in str(caught.value)


def test_going_on_from_a_model() -> None:
    model = grow(DOUBLE)
    again = grow([*DOUBLE, (9, 18)], [], start=model)
    assert again.hash == model.hash
    assert grow([*DOUBLE, (9, 18)], [], parts=[model]).hash == model.hash
    with pytest.raises(InputError, match="expected programs grown from examples"):
        grow(DOUBLE, start="model.mst")


def test_the_door() -> None:
    task = ms.Task.from_examples(DOUBLE)
    with pytest.raises(InputError, match="objective"):
        ms.grow(task, objective=ms.Objective(), quiet=True)  # type: ignore[call-overload]
    with pytest.raises(InputError, match="expected a task, got list"):
        ms.grow(DOUBLE)  # type: ignore[call-overload]
    with pytest.raises(InputError, match="seed"):
        ms.grow(task, seed=-1)
    table = ms.Task.from_table({"x": [1.0, 2.0, 4.0], "y": [1.5, 3.1, 4.2]}, target="y")
    with pytest.raises(InputError, match="only for programs from examples"):
        ms.grow(table, wrong=0.1)  # type: ignore[call-overload]


# ---------------------------------------------------------------------------------------------- bad input


def test_programs_that_blow_up_end_as_failures() -> None:
    bomb = Given(
        "bomb", [given("length(repeat(x, 900000)) + x", 3), given("iterate(y => y * y + 1, 60, x)", 3)]
    )
    with pytest.raises(MeristemError, match="found none"):
        grow(DOUBLE, [bomb])
    model = grow(DOUBLE, [Given("both", [*bomb.found, given("2 * x", 9)])])
    assert model(3) == 6


def test_names_from_data_are_harmless() -> None:
    names = ['a"b', "c\nd", "🌱", "'; import os", "class"]
    values = [[k * len(names) + j for j in range(len(names))] for k in range(3)]
    examples = [(dict(zip(names, row, strict=True)), row[2] + 1) for row in values]
    task = ms.Task.from_examples([{"inputs": i, "output": o} for i, o in examples], name='x"\n"""\n🌱')
    model = grow(task, [Given("one", [Found(parse_term("`🌱` + 1"), 5)])])
    space: dict[str, Any] = {}
    exec(model.source(), space)
    function = [v for v in space.values() if callable(v) and getattr(v, "__module__", None) is None][-1]
    assert [function(*row) for row in values] == [row[2] + 1 for row in values]
    assert ms.ProgramModel.from_bytes(model.to_bytes()).predict(values) == [row[2] + 1 for row in values]
    model.picture()
    str(model.report())


def test_a_sketch_may_name_its_arguments() -> None:
    task = ms.Task.from_examples(
        [(["ccc", "a", "bb"], ["a", "bb", "ccc"]), (["xx", "y"], ["y", "xx"]), ([], [])]
    )
    model = ms.grow(task, sketch="sort(?, key=?)", budget=10, quiet=True)
    assert model(["long", "a", "mid"]) == ["a", "mid", "long"]


def test_what_fits_most_is_looked_for_where_nothing_fits() -> None:
    examples = [(n, n * n + 1) for n in range(12)]
    examples[3], examples[7] = (3, 77), (7, -5)
    with pytest.raises(MeristemError) as caught:
        grow(examples, [Tiny(("add", "multiply"), 5)])
    assert "answers 10 of them, not example 4: 3 -> 77" in str(caught.value)
    assert "wrong=0.17" in str(caught.value)


def test_parts_of_the_examples_may_be_easier_than_all_of_them() -> None:
    class Small(Tiny):
        """Gives up where there are many examples."""

        name: ClassVar[str] = "small"

        def find(self, problem: Problem) -> Iterator[Found | None]:
            if len(problem) < 8:
                yield from super().find(problem)

    model = grow([(n, 2 * n) for n in range(1, 16)], [Small()])
    assert model(50) == 100
    assert [f.name for f in model.report().finders] == ["small", "small on parts"]
