"""Random well-typed terms and values, over the whole vocabulary: for tests and as raw material for search.

Generation never runs into a dead end: every type that can be made at all has a smallest term, which is what is taken
when the size is used up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import numpy as np

from meristem.errors import TypeMismatch
from meristem.language.infer import check_type
from meristem.language.terms import (
    Apply,
    Call,
    Field,
    If,
    Lambda,
    Let,
    ListOf,
    Literal,
    Record,
    Term,
    Variable,
)
from meristem.language.vocabulary import VOCABULARY, Entry, Primitive, Vocabulary
from meristem.types import (
    BOOL,
    DATETIME,
    INT,
    REAL,
    TEXT,
    Substitution,
    Type,
    class_of,
    list_of,
    map_of,
    option_of,
    pair_of,
    rename_apart,
    row_of,
    substitute,
    unify,
)

_SCALARS = (BOOL, INT, REAL, TEXT, DATETIME)
_GIVEN = ("vector", "image", "signal")  # types that no constructor or literal makes
_LETTERS = "ab c,-07Zé\U0001f331\n"
_INTS = (0, 1, 2, 3, -1, 5, 7, 10, 100, -(2**63), 2**63 - 1, 2**31)
_REALS = (0.0, 1.0, 0.5, -1.0, -0.0, 2.5, 3.5, 1e-3, 1e300, -7.25, 1e19, 2.0**63)


def random_type(rng: Random, size: int = 3, kind: str = "any") -> Type:
    """A random type that literals and constructors can make, of a kind, about `size` deep at most."""
    if kind == "number":
        return rng.choice((INT, REAL))
    if size <= 1 or rng.random() < 0.5:
        label = class_of("red", "the blue", "3")
        return rng.choice((*_SCALARS, INT, TEXT, *([label] if kind in ("any", "eq") else [])))
    heads = {"key": ("pair",), "ord": ("list", "pair")}.get(
        kind, ("list", "list", "pair", "option", "map", "row")
    )
    head = rng.choice(heads)
    if head == "list":
        return list_of(random_type(rng, size - 1, kind))
    if head == "pair":
        return pair_of(random_type(rng, size - 1, kind), random_type(rng, size - 1, kind))
    if head == "map":
        return map_of(random_type(rng, size - 1, "key"), random_type(rng, size - 1, kind))
    if head == "row":
        names = rng.sample(["a", "b", "odd name", "class"], rng.randint(0, 2))
        return row_of({name: random_type(rng, size - 1, kind) for name in names})
    item = random_type(rng, size - 1, kind)
    return item if item.name == "option" else option_of(item)


def random_value(rng: Random, type: Type, size: int = 4) -> Any:
    """A random Python value of a type, lists and texts up to `size` long."""
    name = type.name
    if name == "bool":
        return rng.random() < 0.5
    if name == "int":
        return rng.choice(_INTS) if rng.random() < 0.4 else rng.randint(-9, 9)
    if name == "real":
        return rng.choice(_REALS) if rng.random() < 0.4 else round(rng.uniform(-9, 9), 2)
    if name == "text":
        return "".join(rng.choice(_LETTERS) for _ in range(rng.randint(0, size)))
    if name == "datetime":
        return datetime(1970, 1, 1) + timedelta(microseconds=rng.randint(-(10**16), 10**16))
    if name == "class":
        return rng.choice(type.params)
    if name == "list":
        return [random_value(rng, type.item, size) for _ in range(rng.randint(0, size))]
    if name == "map":
        key, item = type.args
        count = rng.randint(0, size)
        return {random_value(rng, key, size): random_value(rng, item, size) for _ in range(count)}
    if name == "pair":
        return random_value(rng, type.args[0], size), random_value(rng, type.args[1], size)
    if name == "option":
        return None if rng.random() < 0.3 else random_value(rng, type.item, size)
    if name == "row":
        return {field: random_value(rng, inner, size) for field, inner in type.fields.items()}
    if name == "vector":
        return np.array([rng.uniform(-9, 9) for _ in range(int(type.params[0] or 3))])
    if name == "dist" and type.item.name == "class":
        weights = [rng.random() + 0.01 for _ in type.item.params]
        return {label: w / sum(weights) for label, w in zip(type.item.params, weights, strict=True)}
    raise TypeMismatch(f"there are no random values of the type {type}")


def random_term(
    rng: Random,
    type: Type,
    env: Mapping[str, Type] | None = None,
    size: int = 12,
    *,
    vocabulary: Vocabulary = VOCABULARY,
) -> Term:
    """A random term of a type.

    Args:
        rng: Source of all randomness.
        type: A type without variables, no function.
        env: The inputs it may use.
        size: About how many nodes it may have; more where the smallest term of the type has more.
        vocabulary: Where its functions come from.

    Raises:
        TypeMismatch: There is no term of that type.
    """
    return _Generator(rng, dict(env or {}), vocabulary).term(type, dict(env or {}), size)


class _Generator:
    def __init__(self, rng: Random, inputs: dict[str, Type], vocabulary: Vocabulary) -> None:
        self.rng, self.inputs, self.names = rng, inputs, 0
        self.by_result: dict[str, list[Entry]] = {}
        for entry in vocabulary:
            if isinstance(entry, Primitive) and entry.rule is not None:
                continue
            result = entry.type.result
            self.by_result.setdefault("" if result.is_variable else result.name, []).append(entry)

    def term(self, type_: Type, env: dict[str, Type], size: int) -> Term:
        if type_.is_function:
            return self.function(type_, env, size)
        known = [name for name, t in env.items() if t == type_]
        if known and (size <= 1 or self.rng.random() < 0.3):
            return Variable(self.rng.choice(known))
        if size > 1:
            roll = self.rng.random()
            if roll < 0.65:
                call = self.call(type_, env, size)
                if call is not None:
                    return call
            elif roll < 0.72:
                return If(*(self.term(t, env, size // 3) for t in (BOOL, type_, type_)))
            elif roll < 0.79:
                return self.let(type_, env, size)
            elif roll < 0.83:
                given = random_type(self.rng, 2)
                function = self.function(Type("->", (given, type_)), env, size // 2)
                return Apply(function, (self.term(given, env, size // 3),))
            elif roll < 0.87:
                field = self.field(type_, env)
                if field is not None:
                    return field
        return self.made(type_, env, size)

    def let(self, type_: Type, env: dict[str, Type], size: int) -> Term:
        name = self.new_name()
        if self.rng.random() < 0.3:
            bound = Type("->", (random_type(self.rng, 2), type_))
            value = self.function(bound, env, size // 2)
            around = {other: t for other, t in env.items() if other != name}
            args = (self.term(bound.args[0], around, size // 3),)
            return Let(name, value, Apply(Variable(name), args))
        given = random_type(self.rng, 2)
        value = self.term(given, env, size // 3)
        return Let(name, value, self.term(type_, {**env, name: given}, size - size // 3))

    def new_name(self) -> str:
        self.names += 1
        return self.rng.choice(["x", "y", "is", "odd name", *self.inputs][:4]) + str(
            self.rng.randint(0, 2) or ""
        )

    def function(self, type_: Type, env: dict[str, Type], size: int) -> Term:
        names: list[str] = []
        while len(names) < len(type_.parameters):
            name = self.new_name()
            if name not in names:
                names.append(name)
        inner = {**env, **dict(zip(names, type_.parameters, strict=True))}
        return Lambda(tuple(names), self.term(type_.result, inner, size - 1))

    def field(self, type_: Type, env: dict[str, Type]) -> Term | None:
        """A field of an input; elsewhere the type of the record may not be known where it stands."""
        found = [
            Field(Variable(name), field)
            for name, t in self.inputs.items()
            if t.name == "row" and env.get(name) is t
            for field, inner in t.fields.items()
            if inner == type_
        ]
        return self.rng.choice(found) if found else None

    def call(self, type_: Type, env: dict[str, Type], size: int) -> Term | None:
        entries = self.by_result.get(type_.name, []) + self.by_result.get("", [])
        for _ in range(8):
            if not entries:
                return None
            entry = self.rng.choice(entries)
            parameters = self.instance(entry.type, type_)
            if parameters is not None:
                parameters = [self.matched(p, env) for p in parameters]
            if parameters is None or not all(self.can_make(p, env) for p in parameters):
                continue
            share = max((size - 1) // max(len(parameters), 1), 0)
            args = tuple(self.argument(entry, i, p, env, share) for i, p in enumerate(parameters))
            return Call(entry.name, args, entry.version)
        return None

    def argument(self, entry: Entry, position: int, type_: Type, env: dict[str, Type], size: int) -> Term:
        """An argument of a call; mostly one of those that the entry says are worth trying."""
        hints = entry.hints.get(position)
        if hints and self.rng.random() < 0.8:
            return Literal(self.rng.choice(hints), type_)
        return self.term(type_, env, size)

    def instance(self, scheme: Type, type_: Type) -> Sequence[Type] | None:
        """The parameters of a function that gives a type, open variables filled at random."""
        solution: Substitution = {}
        scheme = rename_apart(scheme, "~")
        try:
            unify(scheme.result, type_, solution)
            for inner in scheme.walk():
                if inner.is_variable and substitute(inner, solution).is_variable:
                    var = substitute(inner, solution)
                    solution[var.name] = random_type(self.rng, 2, var.kind)
            scheme = substitute(scheme, solution)
            check_type(scheme)
        except TypeMismatch:
            return None
        return scheme.parameters

    def matched(self, type_: Type, env: dict[str, Type]) -> Type:
        """For a type that only names have (a vector of any dimension) that of such a name, if there is one."""
        if type_.name in _GIVEN:
            fitting = [
                t for t in env.values() if t.name == type_.name and (t == type_ or None in type_.params)
            ]
            return self.rng.choice(fitting) if fitting else type_
        return type_

    def can_make(self, type_: Type, env: dict[str, Type]) -> bool:
        """Whether constructors, literals and names make a type."""
        if type_ in env.values():
            return True
        if type_.is_function:
            return self.can_make(
                type_.result, {**env, **{f"~{i}": p for i, p in enumerate(type_.parameters)}}
            )
        if type_.name in ("pair", "row"):
            return all(self.can_make(arg, env) for arg in type_.args)
        return (
            type_ in _SCALARS
            or type_.name in ("list", "option", "map")
            or bool(type_.params and type_.name == "class")
        )

    def made(self, type_: Type, env: dict[str, Type], size: int) -> Term:
        """A term made of constructors and literals."""
        name = type_.name
        more = size > 1
        if type_ in _SCALARS or name == "class":
            return Literal(random_value(self.rng, type_), type_)
        if name == "list":
            count = self.rng.randint(0, 3) if more and self.can_make(type_.item, env) else 0
            return ListOf(tuple(self.term(type_.item, env, (size - 1) // 3) for _ in range(count)))
        if name == "option":
            if more and self.rng.random() < 0.8 and self.can_make(type_.item, env):
                return Call("some", (self.term(type_.item, env, size - 1),))
            return Call("none")
        if name == "pair":
            return Call("pair", tuple(self.term(arg, env, (size - 1) // 2) for arg in type_.args))
        if name == "map":
            inner = list_of(pair_of(*type_.args))
            return Call("map_of", (self.term(inner, env, size - 1) if more else ListOf(()),))
        if name == "row":
            share = size // max(len(type_.args), 1)
            return Record(tuple(type_.fields), tuple(self.term(t, env, share) for t in type_.args))
        names = [n for n, t in env.items() if t == type_]
        if not names:
            raise TypeMismatch(f"there is no term of the type {type_}")
        return Variable(self.rng.choice(names))


__all__ = ["random_term", "random_type", "random_value"]
