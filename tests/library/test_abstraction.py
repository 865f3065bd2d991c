"""Sleep over solved programs: what is found, what it is called, and that the programs stay what they were."""

from __future__ import annotations

import pytest

import meristem.primitives  # noqa: F401
from meristem import events
from meristem.language import VOCABULARY
from meristem.language.contract import check_entry, same_value
from meristem.language.interpreter import evaluate
from meristem.language.terms import Apply, Call, Field, Lambda, Literal, Record, Variable
from meristem.language.text import format_term, parse_term
from meristem.library.abstraction import Abstractions, Costs, Limits, Solved, sleep
from meristem.library.abstraction._terms import Translator, inlined, same_inlined
from meristem.library.abstraction._trees import Forest
from meristem.library.abstraction._types import scheme_from_uses, scheme_of
from meristem.library.abstraction._words import doc_of, name_of, parameter_names
from meristem.types import BOOL, INT, TEXT, Type, list_of, parse_type
from meristem.values import column_from

INTS = {"x": list_of(INT)}


def solved(*texts: str) -> list[Solved]:
    return [Solved(f"task {k}", parse_term(text), INTS) for k, text in enumerate(texts)]


TOP = solved(
    "reverse(sort(filter(y => y > 3, x)))",
    "take(reverse(sort(filter(z => z > 5, x))), 2)",
    "drop(reverse(sort(filter(y => y > 7, x))), 1)",
    "first(reverse(sort(filter(y => y > 9, unique(x)))))",
    "sum(x) + 1",
)


@pytest.fixture(scope="module")
def top() -> Abstractions:
    return sleep(TOP, 30)


def test_what_programs_have_in_common_is_found(top: Abstractions) -> None:
    (learned,) = top.learned
    assert learned.entry.name == "reverse_of_sort_of_filter"
    assert str(learned.entry.type) == "(a, list[a]) -> list[a] where a: ord"
    assert learned.tasks == ("task 0", "task 1", "task 2", "task 3")
    assert learned.uses == 4
    assert learned.saving == pytest.approx(top.before - top.after - top.definitions)
    assert "sorted reversed" in learned.entry.doc
    assert learned.entry.examples
    assert not top.programs[4].changed
    assert top.programs[4].term == TOP[4].term


def test_the_vocabulary_is_left_as_it_is(top: Abstractions) -> None:
    name = top.subroutines[0].name
    assert name not in VOCABULARY
    with top.declared():
        assert name in VOCABULARY
        check_entry(top.subroutines[0])
    assert name not in VOCABULARY


def test_programs_stay_what_they_were(top: Abstractions) -> None:
    bodies = {each.entry.name: (each.entry.parameters, each.body) for each in top.learned}
    rows = {"x": column_from([[], [12, 3, 8, 8], [100, -4], [6, 11, 9, 10]], INTS["x"])}
    with top.declared():
        for program in top.programs:
            assert same_inlined(program.term, bodies, program.solved.term)
            assert same_inlined(inlined(program.term, bodies), {}, program.solved.term)
            old = evaluate(program.solved.term, rows).to_list()
            new = evaluate(program.term, rows).to_list()
            for a, b in zip(old, new, strict=True):
                assert same_value(a, b) or (isinstance(a, Exception) and isinstance(b, Exception))


def test_subroutines_call_each_other() -> None:
    inner = "sort(unique(filter(y => y > {}, x)))"
    outer = "concat_lists(reverse(take({}, 2)), x)"
    texts = [inner.format(k) for k in range(2, 8)] + [outer.format(inner.format(k)) for k in range(12, 24)]
    result = sleep(solved(*texts), 30)
    names = [entry.name for entry in result.subroutines]
    calls = [{n.name for n in each.body.walk() if isinstance(n, Call)} for each in result.learned]
    assert any(names[i] in calls[j] for j in range(len(names)) for i in range(j))
    assert not any(names[i] in calls[j] for j in range(len(names)) for i in range(j, len(names)))
    assert all(program.changed for program in result.programs)


def test_what_may_fail_stays_in_its_branch() -> None:
    """With its branch as an argument a program would fail wherever the branch not taken does."""
    text = "if is_empty(x) then {} else reverse(sort(unique([first(x) + {}, last(x)])))"
    result = sleep(
        solved(*(text.format(then, k) for k, then in enumerate(("[get(x, 1)]", "[get(x, 2)]", "[1]")))), 30
    )
    rows = {"x": column_from([[], [4, 9, 2]], INTS["x"])}
    with result.declared():
        for program in result.programs:
            before = evaluate(program.solved.term, rows).failures.tolist()
            assert [bool(f) for f in evaluate(program.term, rows).failures] == [bool(f) for f in before]


def test_another_name_for_one_function_is_no_subroutine() -> None:
    texts = [f"map(y => y + {k}, x)" for k in range(20)]
    result = sleep(solved(*texts), 30)
    for each in result.learned:
        assert each.body.size > len(each.entry.parameters) + 1


def test_no_time_gives_nothing_and_no_error() -> None:
    result = sleep(TOP, 0)
    assert not result.learned
    assert not result.complete
    assert [p.term for p in result.programs] == [p.term for p in TOP]
    assert sleep([], 1).programs == ()


def test_progress_is_told() -> None:
    told: list[events.Event] = []
    result = sleep(TOP, 30, listeners=[told.append])
    phases = [event.name for event in told if isinstance(event, events.Phase)]
    assert phases == ["reading", "abstracting", "verifying", "done"]
    better = [event.loss for event in told if isinstance(event, events.Improved)]
    assert better == sorted(better, reverse=True)
    assert better[-1] == pytest.approx(result.after + result.definitions)


def test_limits_hold() -> None:
    limits = Limits(count=1, arities=(1,), least=1)
    result = sleep(TOP, 30, limits=limits)
    assert [each.entry.arity for each in result.learned] == [1]


def test_names_that_are_taken_are_not_used(top: Abstractions) -> None:
    again = sleep(TOP, 30, taken={"reverse_of_sort_of_filter"})
    assert again.subroutines[0].name == "reverse_of_sort_of_filter_2"


@pytest.mark.parametrize(
    "text",
    [
        "sum(map(y => y * 2, x))",
        "let s = sum(x) in map(y => y - s, x)",
        "fold((total, y) => total + y, 0, x)",
        "map(y => map(z => y + z, x), x)",
        "if is_empty(x) then [1, 2] else x",
        "map(y => sum(map(z => let w = z + y in w * w, x)), x)",
    ],
)
def test_terms_to_trees_and_back(text: str) -> None:
    translator = Translator(Forest(Costs(0, 0, 0)))
    term = parse_term(text)
    tree = translator.tree(term)
    again = translator.term(tree)
    assert translator.tree(again) == tree
    assert again.free_names == term.free_names


def test_records_to_trees_and_back() -> None:
    translator = Translator(Forest(Costs(0, 0, 0)))
    term = Field(Record(("a", "odd name"), (Variable("x"), Literal("q", TEXT))), "odd name")
    assert translator.term(translator.tree(term)) == term
    assert name_of(term, ()) == "oddname_of_record"


def test_names_that_differ_only_do_not_make_trees_differ() -> None:
    translator = Translator(Forest(Costs(0, 0, 0)))
    assert translator.tree(parse_term("map(y => y + 1, x)")) == translator.tree(
        parse_term("map(q => q + 1, x)")
    )
    assert translator.tree(Literal(1, INT)) != translator.tree(Literal(True, BOOL))


def test_inputs_are_not_hidden_by_names_of_the_body() -> None:
    """A program whose input is called as what bodies bind."""
    term = Call(
        "map", (Lambda(("y",), Call("add", (Variable("y"), Call("first", (Variable("z"),))))), Variable("z"))
    )
    translator = Translator(Forest(Costs(0, 0, 0)))
    again = translator.term(translator.tree(term))
    assert again.free_names == {"z"}


def test_types_are_as_general_as_they_can_be() -> None:
    assert (
        str(scheme_of(parse_term("sum(map(f, xs))"), ("xs", "f")))
        == "(list[a], (a) -> b) -> b where b: number"
    )
    assert scheme_of(parse_term("x => x + n"), ("n",)) is None
    assert scheme_of(parse_term("first(n) + upper(n)"), ("n",)) is None


def test_types_from_uses_where_the_body_has_none() -> None:
    body = Call("class_number", (Apply(Variable("read"), (Variable("item"),)),))
    assert scheme_of(body, ("read", "item")) is None
    uses: list[Type] = [
        parse_type("((text) -> class[10], text) -> int"),
        parse_type("((int) -> class[7, 9], int) -> int"),
    ]
    found = scheme_from_uses(body, ("read", "item"), uses)
    assert str(found) == "((a) -> b, a) -> int"
    wrong = parse_type("((text) -> class[cat, dog], text) -> int")
    assert scheme_from_uses(body, ("read", "item"), [*uses, wrong]) is None


def test_words() -> None:
    assert name_of(parse_term("take(sort(xs), 3)"), {"take_3_of_sort"}) == "take_3_of_sort_2"
    assert name_of(parse_term("[n, n]"), ()) == "part"
    assert parameter_names([INT, INT, list_of(INT), TEXT, parse_type("(int) -> bool")], ()) == (
        "n",
        "m",
        "xs",
        "words",
        "test",
    )
    assert (
        doc_of(parse_term("sum(map(x => x * n, xs))"))
        == "The sum of the map of xs by each x to the product of x and n."
    )
    assert len(doc_of(parse_term("+".join(["abs(n)"] * 60)))) <= 161


@pytest.mark.slow
def test_two_hundred_programs_in_time() -> None:
    """Sleep over 200 list programs is affordable: below 60 seconds of processor time."""
    import time

    parts = [
        "sort(x)",
        "unique(x)",
        "filter(y => y > {k}, x)",
        "map(y => y * {k}, x)",
        "rest(x)",
        "take(x, {k})",
    ]
    wraps = [
        "reverse({})",
        "take({}, 3)",
        "sum({})",
        "prepend(first(x), {})",
        "concat_lists({}, reverse(x))",
        "length({})",
    ]
    texts = []
    for k in range(200):
        text = parts[k % 6].format(k=k % 9)
        for wrap in (wraps[k // 6 % 5], wraps[k // 30 % 6]):
            text = wrap.format(text) if not text.startswith(("sum", "length")) else f"{text} + {k % 7}"
        texts.append(text)
    began = time.process_time()
    result = sleep(solved(*texts), 120)
    assert result.learned
    assert all(program.term.size <= program.solved.term.size for program in result.programs)
    assert time.process_time() - began < 60, format_term(result.programs[0].term)
