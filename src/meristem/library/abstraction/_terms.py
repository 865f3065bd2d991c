"""Terms as plain trees, and back.

A module is a leaf under a node that applies it, so it can become a parameter like anything else: of two programs that
differ in a module only, what they share is a subroutine with a function for a parameter. For that the module needs a
label, since without one its fit goes by where it stands; `named_parts` gives it one.

Inputs of programs and modules may not become part of a body: a subroutine says all it depends on by its parameters, and
holds no fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from meristem.errors import InputError
from meristem.language.terms import (
    Apply,
    Call,
    Field,
    Hole,
    If,
    Lambda,
    Let,
    ListOf,
    Literal,
    Module,
    Record,
    Term,
    Variable,
)
from meristem.language.typed import ensure_stack
from meristem.library.abstraction._trees import Costs, Forest, Label, key_of

Price = Callable[[Term], float]
"""What one node of a term costs, without what is inside it."""

_USE = 1.0  # applying a function
_LETTERS = "xyzuvwabcdefghijk"


def plain_price(node: Term) -> float:
    """A price for every node that knows nothing of what is likely: names are cheap, calls and constants are not."""
    if isinstance(node, Variable):
        return 1.0
    if isinstance(node, Literal):
        return 3.0 + (len(node.value) if isinstance(node.value, str) else 0.0)
    return 4.0 if isinstance(node, Call | Module) else 2.0


def named_parts(term: Term) -> tuple[Term, dict[str, str]]:
    """A term whose modules all have labels, and of each slot that changed the old and the new name."""
    slots: dict[str, str] = {}
    labels: dict[str, str] = {}
    old = {node: node.slot for node in term.walk() if isinstance(node, Module)}

    def name(slot: str) -> str:
        return labels.setdefault(slot, f"part_{slot.rpartition('_')[2]}")

    def change(node: Term, before: Term) -> Term:
        if not isinstance(node, Module) or node.label:
            return node
        assert isinstance(before, Module)
        named = replace(node, label=name(old[before]))
        slots[old[before]] = named.slot
        return named

    return _rewrite_knowing(term, change), slots


def _rewrite_knowing(term: Term, change: Callable[[Term, Term], Term]) -> Term:
    """As `rewrite`; `change` also gets the node as it was before its inner ones changed."""
    results: list[Term] = []
    for node in term.walk():
        width = len(node.children())
        made = node
        if width:
            made = node.with_children(tuple(results[-width:]))
            del results[-width:]
        results.append(change(made, node))
    return results[0]


class Translator:
    """Between terms and the trees of a forest.

    Args:
        forest: Where the trees are.
        price: What each node costs.
    """

    def __init__(self, forest: Forest, price: Price = plain_price) -> None:
        self.forest, self.price = forest, price
        self.leaves: dict[Any, Term] = {}  # literals and modules, by the key of their label
        self.trees: dict[int, int] = {}  # of the term read last: the tree of each node, by its identity

    # -------------------------------------------------------------------------------------- to trees

    def tree(self, term: Term) -> int:
        """The tree of a term.

        Raises:
            InputError: It has a hole.
        """
        ensure_stack(term.depth)
        self.trees = {}
        return self._tree(term, ())

    def _tree(self, term: Term, scope: tuple[str, ...]) -> int:
        made = self.trees[id(term)] = self._read(term, scope)
        return made

    def _read(self, term: Term, scope: tuple[str, ...]) -> int:
        children = term.children()
        if isinstance(term, Variable):
            return self._name(term, scope)
        if isinstance(term, Literal):
            key: tuple[Any, ...] = ("literal", str(term.type), type(term.value).__name__, repr(term.value))
            self.leaves.setdefault(key, term)
            return self._leaf(Label(key, self.price(term), safe=True))
        if isinstance(term, Lambda):
            body = self._tree(term.body, scope + term.parameters)
            width = len(term.parameters)
            label = Label(("lambda", width), self.price(term), (width,), top=False, safe=True)
            return self.forest.node(self.forest.label(label), (body,))
        if isinstance(term, Let):
            label = Label(("let",), self.price(term), (0, 1))
            inner = (self._tree(term.value, scope), self._tree(term.body, (*scope, term.name)))
            return self.forest.node(self.forest.label(label), inner)
        made = tuple(self._tree(child, scope) for child in children)
        if isinstance(term, Apply):
            return self.forest.node(self.forest.label(Label(("use", len(term.args)), _USE)), made)
        if isinstance(term, Module):
            bare = replace(term, args=())
            key = ("module", bare.digest, len(children))
            self.leaves.setdefault(key, bare)
            head = self._leaf(Label(key, self.price(bare), barred=True, top=False, safe=True))
            return self.forest.node(self.forest.label(Label(("use", len(made)), _USE)), (head, *made))
        lazy = (False, True, True) if isinstance(term, If) else ()
        return self.forest.node(self.forest.label(Label(_key(term), self.price(term), lazy=lazy)), made)

    def _name(self, term: Variable, scope: tuple[str, ...]) -> int:
        for index, name in enumerate(reversed(scope)):
            if name == term.name:
                return self._leaf(Label(("bound", index), self.price(term), bound=index, safe=True))
        return self._leaf(Label(("input", term.name), self.price(term), barred=True, safe=True))

    def _leaf(self, label: Label) -> int:
        return self.forest.node(self.forest.label(label))

    # -------------------------------------------------------------------------------------- to terms

    def term(
        self,
        node: int,
        parameters: Sequence[str] = (),
        names: Mapping[int, str] | None = None,
        taken: Sequence[str] = (),
    ) -> Term:
        """The term of a tree.

        Args:
            node: The tree.
            parameters: Names of the parameters in it.
            names: Names of the subroutines that it calls, by their bodies.
            taken: Further names that are not for what it binds.
        """
        forest = self.forest
        inputs = [key_of(forest, n)[1] for n in forest.inside((node,)) if key_of(forest, n)[0] == "input"]
        free = {*parameters, *taken, *inputs}
        return self._term(node, (), list(parameters), names or {}, free)

    def _term(
        self,
        node: int,
        scope: tuple[str, ...],
        parameters: list[str],
        names: Mapping[int, str],
        taken: set[str],
    ) -> Term:
        forest = self.forest
        key = key_of(forest, node)
        children = forest.children_of[node]
        kind = key[0]
        if kind == "parameter":
            return Variable(parameters[key[1]])
        if kind == "input":
            return Variable(key[1])
        if kind == "bound":
            return Variable(scope[-1 - key[1]])
        if kind == "literal":
            return self.leaves[key]
        if kind == "module":  # by itself it is a function
            fresh = _fresh(key[2], taken, scope)
            bare = self.leaves[key]
            assert isinstance(bare, Module)
            return Lambda(fresh, replace(bare, args=tuple(map(Variable, fresh))))
        if kind == "lambda":
            fresh = _fresh(key[1], taken, scope)
            return Lambda(fresh, self._term(children[0], scope + fresh, parameters, names, taken))
        if kind == "let":
            (fresh_name,) = _fresh(1, taken, scope)
            value = self._term(children[0], scope, parameters, names, taken)
            body = self._term(children[1], (*scope, fresh_name), parameters, names, taken)
            return Let(fresh_name, value, body)
        if kind == "use":
            head = key_of(forest, children[0])
            args = tuple(self._term(c, scope, parameters, names, taken) for c in children[1:])
            if head[0] == "module":
                return replace(self.leaves[head], args=args)  # type: ignore[call-arg]
            return Apply(self._term(children[0], scope, parameters, names, taken), args)
        made = tuple(self._term(c, scope, parameters, names, taken) for c in children)
        return _put_together(key, made, names)


def _key(term: Term) -> tuple[Any, ...]:
    if isinstance(term, Call):
        return ("function", term.name, term.version, len(term.args))
    if isinstance(term, If):
        return ("if",)
    if isinstance(term, Field):
        return ("field", term.name)
    if isinstance(term, Record):
        return ("record", term.names)
    if isinstance(term, ListOf):
        return ("list", len(term.items))
    if isinstance(term, Hole):
        raise InputError("expected a finished program, got one with a hole; fill it first")
    raise InputError(f"expected a term, got {type(term).__name__}")


def _put_together(key: tuple[Any, ...], made: tuple[Term, ...], names: Mapping[int, str]) -> Term:
    kind = key[0]
    if kind == "function":
        return Call(key[1], made, key[2])
    if kind == "call":
        return Call(names[key[1]], made)
    if kind == "if":
        return If(*made)
    if kind == "field":
        return Field(made[0], key[1])
    if kind == "record":
        return Record(key[1], made)
    return ListOf(made)


def _fresh(width: int, taken: set[str], scope: tuple[str, ...]) -> tuple[str, ...]:
    """Names for what a node binds: short ones that stand for nothing else here."""
    found: list[str] = []
    letters = iter(_LETTERS)
    numbers = count(1)
    while len(found) < width:
        name = next(letters, "") or f"x{next(numbers)}"
        if name not in taken and name not in scope:
            found.append(name)
    return tuple(found)


def inlined(term: Term, bodies: Mapping[str, tuple[tuple[str, ...], Term]]) -> Term:
    """A term with calls replaced by what they stand for.

    Args:
        term: A program.
        bodies: Of each subroutine to replace its parameters and its body, which may call others of these.
    """
    forest = Forest(Costs(0.0, 0.0, 0.0))
    translator = Translator(forest)
    return translator.term(_Inlining(forest, translator, bodies).tree(term))


def same_inlined(term: Term, bodies: Mapping[str, tuple[tuple[str, ...], Term]], other: Term) -> bool:
    """Whether a term with calls replaced by what they stand for is another term, but for the names it binds."""
    forest = Forest(Costs(0.0, 0.0, 0.0))
    inlining = _Inlining(forest, Translator(forest), bodies)
    return inlining.tree(term) == inlining.tree(other)


class _Inlining:
    """Replaces calls by bodies, and applications of functions that are written out by what they give."""

    def __init__(
        self, forest: Forest, translator: Translator, bodies: Mapping[str, tuple[tuple[str, ...], Term]]
    ) -> None:
        self.forest, self.translator, self.given = forest, translator, bodies
        self.bodies: dict[str, int] = {}
        self.known: dict[int, int] = {}

    def tree(self, term: Term) -> int:
        return self.open(self.translator.tree(term))

    def open(self, node: int) -> int:
        found = self.known.get(node)
        if found is not None:
            return found
        forest = self.forest
        key = key_of(forest, node)
        inner = tuple(self.open(child) for child in forest.children_of[node])
        if key[0] == "function" and key[1] in self.given:
            made = self.reduce(forest.put(self.body(key[1]), inner))
        else:
            made = self.reduce(forest.node(forest.label_of[node], inner))
        self.known[node] = made
        return made

    def body(self, name: str) -> int:
        if name not in self.bodies:
            parameters, body = self.given[name]
            places = {parameter: k for k, parameter in enumerate(parameters)}
            self.bodies[name] = self.close(self.open(self.translator.tree(body)), places)
        return self.bodies[name]

    def close(self, node: int, places: Mapping[str, int]) -> int:
        """A body whose free names are parameters."""
        forest = self.forest
        key = key_of(forest, node)
        if key[0] == "input":
            return forest.parameter(places[key[1]])
        inner = tuple(self.close(child, places) for child in forest.children_of[node])
        return forest.node(forest.label_of[node], inner)

    def reduce(self, node: int) -> int:
        """A tree without functions that are applied where they are written."""
        forest = self.forest
        children = tuple(self.reduce(child) for child in forest.children_of[node])
        key = key_of(forest, node)
        if key[0] == "use":
            head = key_of(forest, children[0])
            if head == ("lambda", len(children) - 1):
                body = forest.children_of[children[0]][0]
                return self.reduce(self.applied(body, children[1:], 0))
        return forest.node(forest.label_of[node], children)

    def applied(self, node: int, arguments: tuple[int, ...], depth: int) -> int:
        """The body of a function with its names replaced by arguments."""
        forest = self.forest
        label = forest.labels[forest.label_of[node]]
        if label.bound >= 0:
            index = label.bound - depth
            if index < 0:
                return node
            if index < len(arguments):
                return forest.shift(arguments[-1 - index], depth)
            return forest.shift(node, -len(arguments))
        children = forest.children_of[node]
        binds = label.binds or (0,) * len(children)
        inner = tuple(self.applied(c, arguments, depth + b) for c, b in zip(children, binds, strict=True))
        return forest.node(forest.label_of[node], inner)


__all__ = ["Price", "Translator", "inlined", "named_parts", "plain_price", "same_inlined"]
