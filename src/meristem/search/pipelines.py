"""Terms for tables: the parts that suit a row's types, and the first pipelines worth trying."""

from __future__ import annotations

from dataclasses import replace

from meristem.language.terms import Choice, Module, Term, Variable, call, module
from meristem.types import Type

ROW = Variable("row")


def _names(row: Type) -> set[str]:
    return {(t.item if t.name == "option" else t).name for t in row.args}


def vectors(row: Type) -> list[Term]:
    """The features of a row as vectors, still to be standardized."""
    kinds = _names(row)
    parts: list[Term] = []
    if kinds & {"int", "real", "bool"}:
        parts.append(module("impute", call("numbers", ROW)))
    if "datetime" in kinds:
        parts.append(module("impute", call("date_parts", call("dates", ROW))))
    if "class" in kinds:
        parts.append(module("one_hot", call("categories", ROW)))
    return parts


def together(parts: list[Term]) -> Term:
    """Vectors end to end."""
    return parts[0] if len(parts) == 1 else call("concat", *parts)


def words(row: Type) -> list[Term]:
    """The free texts of a row as vectors."""
    return [module("bag_of_words", call("texts", ROW))] if "text" in _names(row) else []


def features(row: Type) -> Term | None:
    """All features as one standardized vector; None when the row has none."""
    plain, text = vectors(row), words(row)
    parts: list[Term] = [module("standardize", together(plain))] if plain else []
    # Weighted counts of words are on one scale already; to standardize them would make noise of rare words.
    return together([*parts, *text]) if parts or text else None


def tree_inputs(row: Type) -> list[Term]:
    """What trees take: rows with missing values and categories as they are, texts as vectors."""
    kinds = _names(row)
    rows: list[Term] = []
    if kinds & {"int", "real", "bool"}:
        rows.append(call("numbers", ROW))
    if "class" in kinds:
        rows.append(call("categories", ROW))
    if "datetime" in kinds:
        rows.append(call("date_parts", call("dates", ROW)))
    joined = [rows[0] if len(rows) == 1 else call("join", *rows)] if rows else []
    return [*joined, *words(row)]


def with_choices(node: Module, choices: dict[str, Choice]) -> Module:
    """The node with these choices."""
    return replace(node, choices=tuple(sorted(choices.items())))


def linear(x: Term, classification: bool) -> Module:
    """A linear model on a vector."""
    return module("logistic" if classification else "ridge", x)


def boost(row: Type, **choices: Choice) -> Module:
    """Boosted trees on a row."""
    return with_choices(module("boost", *tree_inputs(row)), choices)


def kernel(row: Type, classification: bool, **choices: Choice) -> Module | None:
    """A kernel machine: a linear model on nearness to landmarks."""
    x = features(row)
    return None if x is None else linear(with_choices(module("rbf", x), choices), classification)


def both(row: Type, classification: bool, **choices: Choice) -> Module | None:
    """A linear model on the features and on nearness to landmarks."""
    x = features(row)
    return (
        None
        if x is None
        else linear(call("concat", x, with_choices(module("rbf", x), choices)), classification)
    )


def constant() -> Module:
    """The baseline."""
    return module("constant", ROW)


def first_terms(row: Type, rows: int, classification: bool) -> list[Term]:
    """Pipelines that do well on most tables, in the order to try them: the cheap and various first."""
    x = features(row)
    if x is None:
        return [constant()]
    found: list[Term | None] = [linear(x, classification)]
    found.append(boost(row))
    if rows <= 50_000:
        found.append(kernel(row, classification))
    found += [
        boost(row, rate=0.04, leaves=31, least=5, columns=0.6),
        boost(row, rate=0.08, leaves=6, columns=0.6, l2=3.0),
        boost(row, rate=0.06, leaves=31, least=3, columns=0.5, random_splits=True),
    ]
    if rows <= 20_000:
        found += [
            both(row, classification, landmarks=300, width=2.0),
            kernel(row, classification, landmarks=400, width=0.6),
        ]
    found.append(boost(row, rate=0.03, leaves=63, least=20, columns=0.5, rows=0.7, l2=5.0))
    return [term for term in found if term is not None]


def row_cap(term: Term) -> int | None:
    """Most rows that a term is worth training on: linear and kernel models gain little from more."""
    kinds = {node.kind for node in term.walk() if isinstance(node, Module)}
    if "rbf" in kinds:
        return 30_000
    return 100_000 if kinds & {"logistic", "ridge"} else None
