"""The types of learned subroutines: as general as their bodies allow, else as general as their uses were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from meristem.errors import MeristemError
from meristem.language.infer import check_type, infer, infer_body
from meristem.language.terms import Module, Term
from meristem.library.abstraction._trees import Forest
from meristem.types import Type, function_of, rename_apart, substitute, variable

_LETTERS = "abcdefghjklmpqrstuvwxyz"
_MOST_SEEN = 20  # distinct types of uses that are looked at


def scheme_of(body: Term, parameters: Sequence[str]) -> Type | None:
    """The most general type of a function with this body; None where it has none.

    >>> from meristem.language.text import parse_term
    >>> import meristem.primitives
    >>> str(scheme_of(parse_term("sum(map(f, xs))"), ("xs", "f")))
    '(list[a], (a) -> b) -> b where b: number'
    """
    try:
        open_types = {name: variable(f"p{k}~") for k, name in enumerate(parameters)}
        root, bindings = infer_body(body, open_types, variable("r~"))
        type_ = lettered(function_of(*(b.type for b in bindings), root.type))
        check_type(type_)
    except MeristemError:
        return None
    return None if root.type.is_function else type_


def scheme_from_uses(body: Term, parameters: Sequence[str], uses: Iterable[Type]) -> Type | None:
    """The least general type that covers how a body was used; None where it does not fit one of the uses.

    Some functions have a result type that is worked out from the types of their arguments, so a body that calls them
    has no one type. It is typed anew for each call; what is given here only says what such calls look like.

    Args:
        body: The body.
        parameters: The names of its parameters.
        uses: Of each use the types of the arguments and last of the result.
    """
    distinct = list(dict.fromkeys(uses))[:_MOST_SEEN]
    if not distinct:
        return None
    try:
        for use in distinct:
            infer_body(body, dict(zip(parameters, use.parameters, strict=True)), use.result)
        differing: dict[tuple[Type, ...], Type] = {}
        type_ = lettered(_generalised(distinct, differing))
        check_type(type_)
    except MeristemError:
        return None
    return type_ if not type_.result.is_function else None


def _generalised(types: Sequence[Type], differing: dict[tuple[Type, ...], Type]) -> Type:
    """The least general type that all of these are instances of; what differs alike becomes the same variable."""
    first = types[0]
    if all(t == first for t in types):
        return first
    alike = all(
        t.name == first.name and len(t.args) == len(first.args) and t.params == first.params for t in types
    )
    if alike and first.args:
        args = (_generalised(column, differing) for column in zip(*(t.args for t in types), strict=True))
        return Type(first.name, tuple(args), first.params)
    return differing.setdefault(tuple(types), variable(f"g{len(differing)}~"))


def lettered(type_: Type) -> Type:
    """A type whose variables are a, b, c, ... in the order in which they come up."""
    found: dict[str, Type] = {}
    stack = [type_]
    while stack:
        inner = stack.pop()
        if inner.is_variable and inner.name not in found:
            k = len(found)
            name = _LETTERS[k] if k < len(_LETTERS) else f"a{k}"
            found[inner.name] = variable(name, inner.kind)
        stack.extend(reversed(inner.args))
    return substitute(rename_apart(type_, "!"), {f"{old}!": new for old, new in found.items()})


class Seen:
    """The types that trees have in the programs they stand in."""

    def __init__(self, forest: Forest) -> None:
        self.forest = forest
        self.types: dict[int, Type | None] = {}  # None where a tree has several

    def note(
        self, term: Term, inputs: Mapping[str, Type], target: Type | None, trees: Mapping[int, int]
    ) -> None:
        """Take in a program. `trees` has the tree of each node of it, by the node's identity."""
        try:
            root = infer(term, inputs, target)
        except MeristemError:
            return
        for node in root.walk():
            tree = trees.get(id(node.term))
            if tree is None or not node.type.ground:
                continue
            self._add(tree, node.type)
            if isinstance(node.term, Module):
                head = self.forest.children_of[tree][0]
                self._add(head, function_of(*(child.type for child in node.children), node.type))

    def _add(self, tree: int, type_: Type) -> None:
        if self.types.setdefault(tree, type_) != type_:
            self.types[tree] = None

    def use(self, trees: Sequence[int]) -> Type | None:
        """The function type of a use: the types of its arguments, and last of its result; None where one is open."""
        found = [self.types.get(tree) for tree in trees]
        known = [t for t in found if t is not None]
        return function_of(*known) if len(known) == len(found) else None


__all__ = ["Seen", "lettered", "scheme_from_uses", "scheme_of"]
