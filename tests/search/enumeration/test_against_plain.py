"""The columnar enumerator and a plain one in Python: the same rows of values, type by type, level by level."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

import meristem.primitives  # noqa: F401
from bank_levels import BankLevels, Leaf, constant
from meristem.language.interpreter import evaluate
from meristem.language.terms import Variable
from meristem.search.enumeration import _bank
from meristem.search.enumeration._grammar import operations, types_at_hand
from meristem.search.enumeration._operations import Operation
from meristem.types import Type, parse_type
from meristem.values import column_from, hashable
from plain_enumerator import PlainBank

INT, BOOL, TEXT = (parse_type(name) for name in ("int", "bool", "text"))
LISTS = parse_type("list[int]")


@dataclass
class Grammar:
    """A handful of operations over some inputs."""

    inputs: dict[str, tuple[Type, list[Any]]]
    names: str
    constants: tuple[tuple[Any, Type, int], ...] = ((0, INT, 1), (1, INT, 1), (2, INT, 2))
    levels: int = 6
    cheap: bool = True
    over: bool = False  # whether values come up that are too large to be kept
    also: tuple[Type, ...] = ()  # types besides those of the inputs

    @property
    def rows(self) -> int:
        return len(next(iter(self.inputs.values()))[1])

    @property
    def leaves(self) -> list[Leaf]:
        given = [(Variable(name), type_, 1, values) for name, (type_, values) in self.inputs.items()]
        return [*given, *(constant(value, type_, cost, self.rows) for value, type_, cost in self.constants)]

    @property
    def types(self) -> list[Type]:
        return types_at_hand([*(type_ for type_, _ in self.inputs.values()), *self.also], INT)

    @property
    def operations(self) -> list[Operation]:
        names = self.names.split()
        texts = [t for type_, values in self.inputs.values() if type_ == TEXT for t in values]
        found = [op for op in operations(self.types, texts) if op.name in names]
        assert {op.name for op in found} == set(names)
        # Where uses are cheap there is more in six levels.
        return (
            [replace(op, cost=min(op.cost, 1 + len(op.arguments) // 2)) for op in found]
            if self.cheap
            else found
        )


LIST_INPUTS = {"x": (LISTS, [[3, 1, 2], [], [5, 5, 9, 1], [7]])}
TWO_INPUTS = {"x": (LISTS, [[3, 1, 2], [4, 0, -2, 6], [1]]), "n": (INT, [2, 0, -1])}

GRAMMARS = {
    "numbers": Grammar(
        {"n": (INT, [3, 0, -5, 12])}, "add subtract multiply quotient remainder negate less equal"
    ),
    "large numbers": Grammar({"n": (INT, [2**29, 3, -(2**20)])}, "multiply square add power_int", over=True),
    "logic": Grammar(
        {"n": (INT, [1, 2, 3, 4]), "b": (BOOL, [True, False, True, True])},
        "and or not xor less is_even equal add",
    ),
    "first of the empty list": Grammar(LIST_INPUTS, "first last rest initial length append add max"),
    "positions": Grammar(TWO_INPUTS, "get take drop length subtract reverse slice add", levels=7),
    "sorting": Grammar(LIST_INPUTS, "sort unique reverse sum min concat_lists contains count_of"),
    "lists of lists": Grammar(LIST_INPUTS, "chunks flatten reverse first group_runs length prefixes longest"),
    "growing lists": Grammar(
        {"x": (LISTS, [[1, 2] * 20, [7] * 30])},
        "concat_lists append repeat range product length",
        levels=7,
        over=True,
    ),
    "always failing": Grammar(
        {"x": (LISTS, [[], []]), "n": (INT, [0, 0])}, "first quotient get max add rest length"
    ),
    "one example": Grammar({"x": (LISTS, [[4, 2]])}, "first rest append reverse sum equal", levels=7),
    "text": Grammar(
        {"t": (TEXT, ["Ada Lovelace", "", "x-1", "\U0001f600 é\n"])},
        "upper concat_text text_length char_at text_take words join_text split",
        ((0, INT, 2), (1, INT, 2), (" ", TEXT, 2), ("-", TEXT, 3)),
        levels=6,
    ),
    "classes of characters": Grammar(
        {"t": (TEXT, ["Ada 36", "Bo 7, (x)", "3"])},
        "keep_class remove_class first_token last_token nth_token concat_text",
        ((0, INT, 1), (1, INT, 2)),
        levels=5,
    ),
    "options": Grammar(LIST_INPUTS, "index_of or_else first length", also=(parse_type("option[int]"),)),
    "the costs of the search": Grammar(
        LIST_INPUTS,
        "add subtract get take drop sort reverse sum length first append unique max",
        levels=9,
        cheap=False,
    ),
}


def grown(grammar: Grammar, ops: list[Operation]) -> tuple[BankLevels, PlainBank]:
    bank, plain = BankLevels(ops, grammar.leaves, grammar.rows), PlainBank(ops, native=False)
    for level in range(1, grammar.levels + 1):
        bank.level(level)
        for _, type_, cost, values in grammar.leaves:
            if cost == level:
                plain.add(type_, cost, values)
        plain.level(level)
    return bank, plain


def hold_equal(grammar: Grammar, ops: list[Operation], bank: BankLevels, plain: PlainBank) -> None:
    assert bank.bank.tried == plain.tried
    types = {op.result for op in ops} | {type_ for _, type_, _, _ in grammar.leaves}
    for level in range(1, grammar.levels + 1):
        for type_ in types:
            rows = list(bank.rows(type_, level))
            assert len(set(rows)) == len(rows), "the same program twice"
            assert set(rows) == set(plain.rows.get((type_, level), ())), (str(type_), level)


PLAIN = {name: g for name, g in GRAMMARS.items() if name != "options"}


@pytest.mark.parametrize("name", PLAIN)
def test_the_same_programs_level_by_level(name: str) -> None:
    grammar = GRAMMARS[name]
    ops = grammar.operations
    bank, plain = grown(grammar, ops)
    assert bank.bank.count > (20 if name not in ("always failing", "logic") else 5)
    hold_equal(grammar, ops, bank, plain)


@pytest.mark.parametrize("name", ["numbers", "first of the empty list", "positions", "growing lists", "text"])
def test_the_same_programs_where_tables_are_crossed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large blocks go another way: a table a row over the distinct arguments, in boxes. Here small ones go it too."""
    monkeypatch.setattr(_bank, "_FLAT", 0)
    monkeypatch.setattr(_bank, "_CHUNK", 8)
    grammar = GRAMMARS[name]
    ops = grammar.operations
    bank, plain = grown(grammar, ops)
    hold_equal(grammar, ops, bank, plain)


@pytest.mark.parametrize("name", GRAMMARS)
@pytest.mark.parametrize("crossed", [False, True])
def test_terms_give_the_rows_of_their_ids(name: str, crossed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a bank says a program is, and what it says the program gives, agree."""
    if crossed:
        monkeypatch.setattr(_bank, "_FLAT", 0)
        monkeypatch.setattr(_bank, "_CHUNK", 8)
    grammar = replace(GRAMMARS[name], levels=min(GRAMMARS[name].levels, 6))
    bank = BankLevels(grammar.operations, grammar.leaves, grammar.rows)
    for level in range(1, grammar.levels + 1):
        bank.level(level)
    inputs = {name: column_from(values, type_) for name, (type_, values) in grammar.inputs.items()}
    looked = 0
    for type_, blocks in bank.bank.blocks.items():
        if type_.name == "option":
            continue
        for cost, block in blocks.items():
            rows = list(bank.rows(type_, cost))
            for index in range(0, len(block), max(1, len(block) // 30)):
                result = evaluate(block.term(index), inputs, rows=grammar.rows)
                found = zip(result.column.to_list(), result.failures.tolist(), strict=True)
                values = tuple(None if reason else hashable(value) for value, reason in found)
                if grammar.over:  # the search has no value where one on the way is too large
                    values = tuple(
                        None if row is None else v for v, row in zip(values, rows[index], strict=True)
                    )
                assert values == rows[index], block.term(index)
                looked += 1
    assert looked > 4


def test_a_failure_is_no_value() -> None:
    """`first([])` fails in one row: that program must not be taken for one that has a value there."""
    grammar = Grammar({"x": (LISTS, [[0], []])}, "first sum", constants=())
    bank, _ = grown(grammar, grammar.operations)
    assert set(bank.rows(INT, 2)) == {(0, None), (0, 0)}


def test_a_full_bank_keeps_what_it_has() -> None:
    grammar = GRAMMARS["positions"]
    bank = BankLevels(grammar.operations, grammar.leaves, grammar.rows, limit=100)
    for level in range(1, grammar.levels + 2):
        bank.level(level)
    assert 100 <= bank.bank.count < 100 + _bank._CHUNK
    assert sum(len(block) for of in bank.bank.blocks.values() for block in of.values()) == bank.bank.count


def test_more_rows_give_what_was_run_on_all_from_the_start() -> None:
    """A context grows by rows; what its programs give there is what they give anywhere."""
    grammar = GRAMMARS["first of the empty list"]
    values = grammar.inputs["x"][1]
    few = Grammar({"x": (LISTS, values[:2])}, grammar.names, levels=5)
    bank = BankLevels(few.operations, few.leaves, 2)
    for level in range(1, 6):
        bank.level(level)

    pools = bank.pools
    whole = {leaf[0]: pools[leaf[1]].intern(column_from(leaf[3], leaf[1])) for leaf in grammar.leaves}
    bank.bank.extend(lambda term, rows: whole[term][rows][:, None], 4)
    inputs = {"x": column_from(values, LISTS)}
    for type_, blocks in bank.bank.blocks.items():
        for cost, block in blocks.items():
            for index, row in enumerate(bank.rows(type_, cost)):
                result = evaluate(block.term(index), inputs, rows=4)
                found = zip(result.column.to_list(), result.failures.tolist(), strict=True)
                assert row == tuple(None if reason else hashable(value) for value, reason in found)
