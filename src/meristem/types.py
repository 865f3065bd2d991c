"""Types of values, their text form, and unification.

One immutable class serves every type: a constructor name, the types it is applied to, and parameters that are
not types (labels, dimensions, field names). A type variable has a *kind* that bounds what it may stand for:
`any`, `eq` (can be compared), `ord` (can be sorted), `key` (can be the key of a map) or `number` (int or real).

Text form::

    bool  int  real  text  datetime  grid
    list[int]  option[real]  pair[int, text]  map[text, int]  dist[class[cat, dog]]
    vector[4]  vector[_]  image[28, 28, 1]  signal[160, 1]  class['a b', c]  class[10]
    graph[int, real]                 short for map[int, list[pair[int, real]]]: of each node the edges that leave it
    row{age: option[real], name: text}
    (a, list[b]) -> list[a]          a function; `a` and `b` are variables
    (n, n) -> n where n: number
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from meristem.errors import TypeMismatch

Param = str | int | None
"""A parameter of a type: a label or field name, a dimension, or None for a dimension not known yet."""

KINDS = ("any", "eq", "ord", "key", "number")
_UNEQUAL = ("->", "vector", "image", "signal", "dist", "grid")  # never compared for equality
SCALARS = ("bool", "int", "real", "text", "datetime")
MAX_SIZE = 400_000
_DIMENSIONS = {"vector": 1, "image": 3, "signal": 2}
_ARITY = {"list": 1, "option": 1, "dist": 1, "pair": 2, "map": 2, "graph": 2}


@dataclass(frozen=True)
class Type:
    """A type: `name` applied to `args`, with non-type parameters `params`.

    Args:
        name: The constructor (`int`, `list`, `row`, `->`), or the name of a variable.
        args: Types it is applied to; for `->` the arguments and last the result; for `row` the fields' types.
        params: Labels of a `class`, dimensions of a `vector`, `image` or `signal`, field names of a `row`.
        kind: For a variable what it may stand for, otherwise the empty string.
    """

    name: str
    args: tuple[Type, ...] = ()
    params: tuple[Param, ...] = ()
    kind: str = ""
    _hash: int = field(default=0, init=False, repr=False, compare=False)
    size: int = field(
        default=1, init=False, repr=False, compare=False
    )  # number of types inside, this one too
    ground: bool = field(default=True, init=False, repr=False, compare=False)  # no variable inside

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.name, self.args, self.params, self.kind)))
        size = 1 + sum(arg.size for arg in self.args)
        if (
            size > MAX_SIZE
        ):  # pairs of pairs of ... double at each step; sharing hides it until someone compares
            raise TypeMismatch(f"a type may be made of {MAX_SIZE:,} parts, this one has {size:,}")
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "ground", self.kind == "" and all(arg.ground for arg in self.args))

    def __hash__(self) -> int:
        return self._hash

    @property
    def is_variable(self) -> bool:
        """Whether this is a type variable."""
        return self.kind != ""

    @property
    def is_function(self) -> bool:
        """Whether this is a function type."""
        return self.name == "->"

    @property
    def result(self) -> Type:
        """The result of a function type."""
        return self.args[-1]

    @property
    def parameters(self) -> tuple[Type, ...]:
        """The argument types of a function type."""
        return self.args[:-1]

    @property
    def item(self) -> Type:
        """The element type of a list, option or dist."""
        return self.args[0]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of a class type."""
        return tuple(str(p) for p in self.params)

    @property
    def fields(self) -> dict[str, Type]:
        """The fields of a row type, in order."""
        return dict(zip((str(p) for p in self.params), self.args, strict=True))

    def __str__(self) -> str:
        return format_type(self)

    def walk(self) -> Iterator[Type]:
        """This type and every type inside it."""
        yield self
        for arg in self.args:
            yield from arg.walk()


BOOL, INT, REAL, TEXT, DATETIME, GRID = (Type(n) for n in ("bool", "int", "real", "text", "datetime", "grid"))


def list_of(item: Type) -> Type:
    """The type of lists of `item`."""
    return Type("list", (item,))


def option_of(item: Type) -> Type:
    """The type of an `item` that may be missing."""
    return Type("option", (item,))


def pair_of(first: Type, second: Type) -> Type:
    """The type of pairs."""
    return Type("pair", (first, second))


def map_of(key: Type, value: Type) -> Type:
    """The type of maps from `key` to `value`."""
    return Type("map", (key, value))


def graph_of(node: Type, edge: Type) -> Type:
    """The type of directed graphs: a map from each node to the edges that leave it, each with the node it leads to."""
    return map_of(node, list_of(pair_of(node, edge)))


def dist_of(item: Type) -> Type:
    """The type of probability distributions over `item`."""
    return Type("dist", (item,))


def class_of(*labels: str) -> Type:
    """The type of one of several named labels."""
    return Type("class", params=labels)


def vector_of(dimension: int | None) -> Type:
    """The type of vectors of reals; None when the dimension is not known yet."""
    return Type("vector", params=(dimension,))


def row_of(fields: Mapping[str, Type]) -> Type:
    """The type of records with these fields, in this order."""
    return Type("row", tuple(fields.values()), tuple(fields))


def function_of(*types: Type) -> Type:
    """A function type: arguments, and last the result."""
    return Type("->", types)


def variable(name: str, kind: str = "any") -> Type:
    """A type variable."""
    return Type(name, kind=kind)


# ---------------------------------------------------------------------------------------------- text form

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def _quote(name: Param) -> str:
    if name is None:
        return "_"
    if isinstance(name, int) or (_PLAIN.match(name) and name != "_"):  # `_` is a dimension not known yet
        return str(name)
    return json.dumps(name, ensure_ascii=False)


def format_type(type_: Type, limit: int | None = None) -> str:
    """The text form of a type. With `limit`, long label and field lists are cut (for people, not for parsing)."""
    bounds = sorted({f"{t.name}: {t.kind}" for t in type_.walk() if t.kind not in ("", "any")})
    text = _format(type_, limit)
    return f"{text} where {', '.join(bounds)}" if bounds else text


def _format(type_: Type, limit: int | None) -> str:
    if type_.is_variable:
        return type_.name
    if type_.is_function:
        return f"({', '.join(_format(p, limit) for p in type_.parameters)}) -> {_format(type_.result, limit)}"
    if type_.name == "row":
        parts = [f"{_quote(n)}: {_format(t, limit)}" for n, t in type_.fields.items()]
        return "row{" + ", ".join(_cut(parts, limit)) + "}"
    inner = [_format(a, limit) for a in type_.args] + [_quote(p) for p in type_.params]
    if type_.name == "class" and type_.params == tuple(map(str, range(len(type_.params)))):
        inner = [str(len(type_.params))]
    if not inner and type_.name != "class":
        return type_.name
    return f"{type_.name}[{', '.join(_cut(inner, limit))}]"


def _cut(parts: list[str], limit: int | None) -> list[str]:
    if limit is None or len(parts) <= limit:
        return parts
    return [*parts[: limit - 1], f"... {len(parts) - limit + 1} more"]


_TOKEN = re.compile(
    r"""\s*(?:(->)|([A-Za-z_][A-Za-z0-9_]*)|(\d+)|("(?:[^"\\]|\\.)*")|('(?:[^'\\]|\\.)*')|([\[\]{}(),:]))"""
)
_MAX_DEPTH = 100


class _Parser:
    """Recursive descent over the tokens of a type."""

    def __init__(self, text: str, kinds: Mapping[str, str]) -> None:
        self.text, self.kinds, self.tokens, self.place = text, kinds, [], 0
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None:
                raise TypeMismatch(f"expected a type, got {text!r}: cannot read it at position {position}")
            position = match.end()
            self.tokens.append(match)
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.place].group().strip() if self.place < len(self.tokens) else ""

    def take(self, expected: str | None = None) -> re.Match[str]:
        if self.place >= len(self.tokens) or (expected is not None and self.peek() != expected):
            wanted = f"{expected!r}" if expected else "more"
            raise TypeMismatch(f"expected {wanted} at {self.peek()!r} in the type {self.text!r}")
        self.place += 1
        return self.tokens[self.place - 1]

    def name(self) -> Param:
        token = self.take()
        _, word, digits, double, single, _ = token.groups()
        if word is not None:
            return None if word == "_" else word
        if digits is not None:
            return int(digits)
        if double is not None:
            try:
                return str(json.loads(double))
            except ValueError:
                raise TypeMismatch(
                    f"the name {double} in the type {self.text!r} is not well quoted"
                ) from None
        if single is not None:
            return re.sub(r"\\(.)", r"\1", single[1:-1])
        raise TypeMismatch(f"expected a name at {token.group()!r} in the type {self.text!r}")

    def type(self) -> Type:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise TypeMismatch(f"types may nest {_MAX_DEPTH} deep, this one is deeper: {self.text[:60]!r}...")
        try:
            return self.type_unbounded()
        finally:
            self.depth -= 1

    def type_unbounded(self) -> Type:
        if self.peek() == "(":
            self.take("(")
            parameters = self.types(")")
            if self.peek() != "->" and len(parameters) == 1:
                return parameters[0]
            self.take("->")
            return function_of(*parameters, self.type())
        name = self.name()
        if not isinstance(name, str):
            raise TypeMismatch(f"expected the name of a type, got {name!r} in {self.text!r}")
        if name == "row":
            self.take("{")
            fields: dict[str, Type] = {}
            while self.peek() != "}":
                key = str(self.name())
                if key in fields:
                    raise TypeMismatch(f"the field {key!r} stands twice in {self.text!r}")
                self.take(":")
                fields[key] = self.type()
                if self.peek() != "}":
                    self.take(",")
            self.take("}")
            return row_of(fields)
        if name == "class":
            self.take("[")
            labels = self.names("]")
            if len(labels) == 1 and isinstance(labels[0], int):
                if labels[0] > 100_000:
                    raise TypeMismatch(f"a class may have 100,000 labels, this one has {labels[0]:,}")
                return class_of(*map(str, range(labels[0])))
            if len(set(labels)) != len(labels):
                raise TypeMismatch(f"a label stands twice in {self.text!r}")
            return class_of(*("_" if x is None else str(x) for x in labels))
        if name in _DIMENSIONS:
            self.take("[")
            dims = self.names("]")
            if len(dims) != _DIMENSIONS[name] or any(isinstance(d, str) for d in dims):
                raise TypeMismatch(
                    f"{name} takes {_DIMENSIONS[name]} dimension(s), got {dims} in {self.text!r}"
                )
            return Type(name, params=tuple(dims))
        if name in _ARITY:
            self.take("[")
            args = self.types("]")
            if len(args) != _ARITY[name]:
                raise TypeMismatch(f"{name} takes {_ARITY[name]} type(s), got {len(args)} in {self.text!r}")
            return graph_of(*args) if name == "graph" else Type(name, tuple(args))
        if name in SCALARS or name == "grid":
            return Type(name)
        if re.match(r"[a-z]\d*\Z", name):
            return variable(name, self.kinds.get(name, "any"))
        raise TypeMismatch(f"unknown type {name!r} in {self.text!r}")

    def types(self, close: str) -> list[Type]:
        found: list[Type] = []
        while self.peek() != close:
            found.append(self.type())
            if self.peek() != close:
                self.take(",")
        self.take(close)
        return found

    def names(self, close: str) -> list[Param]:
        found: list[Param] = []
        while self.peek() != close:
            found.append(self.name())
            if self.peek() != close:
                self.take(",")
        self.take(close)
        return found


def _split_bounds(text: str) -> tuple[str, str]:
    """A type's text before and after its `where`. Inside of quotes or brackets the word is a label or a field."""
    last, position, depth = text.rfind(" where "), 0, 0
    while position <= last:
        match = _TOKEN.match(text, position)
        if match is None:
            break
        token = match.group().strip()
        if token == "where" and depth == 0 and position:
            return text[:position], text[match.end() :]
        depth += (token in "[{(") - (token in "]})")
        position = match.end()
    return text, ""


def parse_type(text: str) -> Type:
    """Read a type from its text form. The parentheses of an outermost function may be left out.

    Raises:
        TypeMismatch: The text is not a type.

    >>> parse_type("list[real] -> int") == function_of(list_of(REAL), INT)
    True
    """
    body, bounds = _split_bounds(text)
    kinds: dict[str, str] = {}
    for bound in filter(None, (b.strip() for b in bounds.split(","))):
        name, _, kind = (part.strip() for part in bound.partition(":"))
        if kind not in KINDS:
            raise TypeMismatch(f"a variable may be bounded by one of {KINDS}, got {kind!r} in {text!r}")
        kinds[name] = kind
    parser = _Parser(body, kinds)
    first = parser.type()
    if parser.peek() in (",", "->"):
        types = [first]
        while parser.peek() == ",":
            parser.take(",")
            types.append(parser.type())
        parser.take("->")
        first = function_of(*types, parser.type())
    if parser.place != len(parser.tokens):
        raise TypeMismatch(f"unexpected {parser.peek()!r} in the type {text!r}")
    return first


# ---------------------------------------------------------------------------------------------- unification

Substitution = dict[str, Type]


def substitute(type_: Type, substitution: Mapping[str, Type]) -> Type:
    """Replace the variables of `type_`, to the end of each chain."""
    return type_ if type_.ground else _substitute(type_, substitution, {})


def substitute_all(types: Sequence[Type], substitution: Mapping[str, Type]) -> list[Type]:
    """As `substitute` for many types, which go on sharing what they share."""
    done: dict[int, Type] = {}  # by identity: `types` keeps them all alive meanwhile
    return [_substitute(type_, substitution, done) for type_ in types]


def _substitute(type_: Type, substitution: Mapping[str, Type], done: dict[int, Type]) -> Type:
    """As `substitute`; `done` has the result for each type met, by identity, since large types share their parts."""
    if type_.ground:
        return type_
    if type_.is_variable:
        found = substitution.get(type_.name)
        return type_ if found is None else _substitute(found, substitution, done)
    made = done.get(id(type_))
    if made is None:
        args = tuple([_substitute(a, substitution, done) for a in type_.args])
        made = Type(type_.name, args, type_.params)
        done[id(type_)] = made
    return made


def variables_of(type_: Type) -> set[str]:
    """The names of the variables inside a type."""
    names: set[str] = set()
    seen: set[int] = set()
    stack = [type_]
    while stack:
        inner = stack.pop()
        if inner.ground or id(inner) in seen:
            continue
        seen.add(id(inner))
        if inner.is_variable:
            names.add(inner.name)
        stack.extend(inner.args)
    return names


def _head(type_: Type, substitution: Substitution) -> Type:
    """What a type stands for, its outermost part resolved."""
    while type_.is_variable:
        found = substitution.get(type_.name)
        if found is None:
            break
        type_ = found
    return type_


def _occurs(name: str, type_: Type, substitution: Substitution, seen: set[int]) -> bool:
    """Whether a variable stands inside a type. `seen` has the identities of the parts looked at."""
    type_ = _head(type_, substitution)
    if type_.ground or id(type_) in seen:
        return False
    seen.add(id(type_))
    if type_.is_variable:
        return type_.name == name
    return any(_occurs(name, arg, substitution, seen) for arg in type_.args)


def satisfies(type_: Type, kind: str) -> bool:
    """Whether a type without variables at its head is of a kind (variables inside must be of that kind too)."""
    if kind == "any":
        return True
    if type_.is_variable:
        return KINDS.index(type_.kind) >= KINDS.index(kind)
    if not _may_be(type_, kind):
        return False
    return all(satisfies(a, kind) for a in type_.args)


def _may_be(type_: Type, kind: str) -> bool:
    """Whether the head of a type allows a kind; what is inside must be of that kind too.

    Labels have no order of their own, so a `class` cannot be sorted; its label, a text, can.
    """
    name = type_.name
    if kind == "number":
        return name in ("int", "real")
    if kind == "key":
        return name in SCALARS or name == "pair"
    if kind == "ord":
        return name in SCALARS or name in ("list", "pair")
    return name not in _UNEQUAL


def unify(left: Type, right: Type, substitution: Substitution) -> None:
    """Make two types equal by extending `substitution` in place. None is a dimension that fits any other.

    Only the outermost part of a type is resolved at each step: types share their parts, and resolving all of them
    each time would copy what is shared.

    Raises:
        TypeMismatch: They cannot be equal.
    """
    left, right = _head(left, substitution), _head(right, substitution)
    if left is right or (left.ground and right.ground and left == right):
        return
    if left.is_variable or right.is_variable:
        if left.is_variable and right.is_variable and left.name == right.name:
            return
        if not left.is_variable or (right.is_variable and KINDS.index(left.kind) > KINDS.index(right.kind)):
            left, right = right, left  # of two variables, the one that is bounded more stays
        if _occurs(left.name, right, substitution, set()):
            shown = format_type(substitute(right, substitution), 6)
            raise TypeMismatch(f"a type cannot contain itself: {left} in {shown}")
        _restrict(right, left.kind, substitution)
        substitution[left.name] = right
        return
    same = left.name == right.name and len(left.args) == len(right.args)
    if same and left.params != right.params:
        same = left.name in _DIMENSIONS and len(left.params) == len(right.params)
        same = same and all(a == b or None in (a, b) for a, b in zip(left.params, right.params, strict=True))
    if not same:
        left, right = substitute(left, substitution), substitute(right, substitution)
        raise TypeMismatch(f"expected {format_type(left, 6)}, got {format_type(right, 6)}")
    for a, b in zip(left.args, right.args, strict=True):
        unify(a, b, substitution)


_WANTED = {
    "eq": "a type that can be compared",
    "ord": "a type that has an order",
    "key": "a type that can be a key",
    "number": "a number",
}


def _restrict(type_: Type, kind: str, substitution: Substitution) -> None:
    """Make a type satisfy `kind`: variables inside are bound to ones of that kind where needed."""
    if kind == "any":
        return
    type_ = _head(type_, substitution)
    if type_.is_variable:
        if KINDS.index(type_.kind) < KINDS.index(kind):
            substitution[type_.name] = variable(f"{type_.name}'{kind[0]}", kind)
        return
    if not _may_be(type_, kind):
        shown = format_type(substitute(type_, substitution), 6)
        raise TypeMismatch(f"expected {_WANTED[kind]}, got {shown}")
    for arg in type_.args:
        _restrict(arg, kind, substitution)


def rename_apart(type_: Type, suffix: str) -> Type:
    """The same type with every variable's name extended by `suffix`."""
    if type_.is_variable:
        return variable(type_.name + suffix, type_.kind)
    if type_.ground:
        return type_
    return Type(type_.name, tuple(rename_apart(a, suffix) for a in type_.args), type_.params)


# ---------------------------------------------------------------------------------------------- JSON form


def type_to_json(type_: Type) -> Any:
    """The exact JSON form: the text form as a string (it round-trips)."""
    return format_type(type_)


def type_from_json(value: Any) -> Type:
    """Read a type from its JSON form."""
    if not isinstance(value, str):
        raise TypeMismatch(f"expected a type as text, got {type(value).__name__}")
    return parse_type(value)
