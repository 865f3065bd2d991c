"""Type inference: Hindley-Milner with let-polymorphism and bounded variables, one type for every node.

`infer` gives a tree of `Typed` nodes beside the term. Parts of a program that depend on its inputs only are typed
once and shared, so what comes back is a graph. Functions are second class: they may be passed, named and applied,
but not stored in data, chosen by an `if`, or given back by a function; so every value that exists at run time is a
column. A `let` whose value is a function, or whose type stays open, is typed anew at each use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from meristem.errors import TypeMismatch
from meristem.language.kinds import KINDS, settings_of
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
from meristem.language.typed import (
    MAX_DEPTH,
    MAX_NODES,
    NO_BINDINGS,
    Binding,
    TermTypeError,
    Typed,
    check_size,
    check_type,
    default_variables,
    ensure_stack,
)
from meristem.language.vocabulary import VOCABULARY, Primitive
from meristem.types import (
    BOOL,
    SCALARS,
    Substitution,
    Type,
    format_type,
    function_of,
    list_of,
    rename_apart,
    row_of,
    substitute,
    substitute_all,
    unify,
    variable,
    variables_of,
)


class _Open:
    """A let-bound term that is typed anew at each use."""

    __slots__ = ("instances", "name", "scope", "value")

    def __init__(self, name: str, value: Term, scope: Scope) -> None:
        self.name, self.value, self.scope = name, value, scope
        self.instances: list[tuple[Binding, Typed]] = []


Scope = dict[str, "Binding | _Open"]


def infer(term: Term, inputs: Mapping[str, Type], target: Type | None = None) -> Typed:
    """The types of a term and of everything in it.

    Args:
        term: Any term; holes are allowed.
        inputs: The types of the program's inputs.
        target: The type of the task's answer: what modules with an open result give. The type of the whole term is
            not held to it; see `expect`.

    Raises:
        TypeMismatch: It is not well typed. The message names the part that is wrong.
    """
    check_size(term)
    ensure_stack(term.depth)
    work = _Inference(inputs, target)
    return work.finish(work.visit(term, work.scope, None))


def expect(term: Term, inputs: Mapping[str, Type], result: Type, target: Type | None = None) -> Typed:
    """As `infer`, for a term whose result must be of type `result` (which may hold variables)."""
    check_size(term)
    ensure_stack(term.depth)
    work = _Inference(inputs, target)
    node = work.visit(term, work.scope, result)
    work.unify(result, node.type, term)
    return work.finish(node)


def infer_body(term: Term, parameters: Mapping[str, Type], result: Type) -> tuple[Typed, tuple[Binding, ...]]:
    """Type the body of a subroutine for arguments and a result of known types; gives its parameters too."""
    check_size(term)
    ensure_stack(term.depth)
    work = _Inference({}, None)
    bindings = tuple(Binding(name, type_, True) for name, type_ in parameters.items())
    node = work.visit(term, work.bind({}, tuple(parameters), bindings), result)
    work.unify(result, node.type, term)
    return work.finish(node), bindings


class _Inference:
    """One run of inference: the substitution so far, and what is typed already."""

    def __init__(self, inputs: Mapping[str, Type], target: Type | None) -> None:
        self.target = target
        self.substitution: Substitution = {}
        self.scope: Scope = {name: Binding(name, type_, False) for name, type_ in inputs.items()}
        self.inputs = frozenset(inputs)
        self.shadowed = 0  # how many enclosing binders hide an input's name
        self.done: dict[Term, Typed] = {}  # typed parts that depend on the inputs only
        self.fresh = 0
        self.nodes = 0
        self.scheme_variables: list[tuple[Type, Term]] = []

    # ------------------------------------------------------------------------------------------ walking

    def visit(self, term: Term, scope: Scope, expected: Type | None) -> Typed:
        """Type a term. `expected` is advice: what the surroundings want, where they know."""
        shared = not self.shadowed
        if shared:
            found = self.done.get(term)
            if found is not None:
                return found
            if not isinstance(term, Lambda) and term.free_names <= self.inputs:
                # A part that depends on the inputs only is shared by all who use it: none may advise on it.
                expected = None
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise TypeMismatch(
                f"typing this term takes more than {MAX_NODES:,} nodes: too many uses of a let"
            )
        method: _Visit | None = _VISIT.get(type(term))
        if method is None:
            raise TypeMismatch(f"expected a term, got {type(term).__name__}")
        try:
            node = method(self, term, scope, expected)
        except TermTypeError:
            raise
        except TypeMismatch as error:
            raise TermTypeError(f"{error}; in {_shorten(term)}") from None
        if shared and not node.uses:
            node.type = substitute(node.type, self.substitution)
            if node.type.ground and not node.type.is_function:
                self.done[term] = node
        return node

    def unify(self, expected: Type, got: Type, term: Term) -> None:
        """Make two types equal, or say in which term they are not."""
        try:
            unify(expected, got, self.substitution)
        except TermTypeError:
            raise
        except TypeMismatch as error:
            raise TermTypeError(f"{error}; in {_shorten(term)}") from None

    def known(self, type_: Type) -> Type:
        """A type as far as it is known now."""
        return type_ if type_.ground else substitute(type_, self.substitution)

    def new(self, kind: str = "any") -> Type:
        """A new variable."""
        self.fresh += 1
        return variable(f"t~{self.fresh}", kind)

    def bind(self, scope: Scope, names: Sequence[str], bindings: Sequence[Binding | _Open]) -> Scope:
        """The scope with more names."""
        inner = dict(scope)
        inner.update(zip(names, bindings, strict=True))
        return inner

    def visit_in(self, term: Term, scope: Scope, names: Sequence[str], expected: Type | None) -> Typed:
        """Type a term below a binder of `names`."""
        hides = any(name in self.scope for name in names)
        self.shadowed += hides
        try:
            return self.visit(term, scope, expected)
        finally:
            self.shadowed -= hides

    # ------------------------------------------------------------------------------------------ each kind of term

    def variable(self, term: Variable, scope: Scope, expected: Type | None) -> Typed:
        bound = scope.get(term.name)
        if bound is None:
            names = ", ".join(list(scope)[:6]) or "none"
            raise TypeMismatch(f"unknown name {term.name!r}; known are {names}")
        if isinstance(bound, _Open):
            shadowed, self.shadowed = self.shadowed, self.shadowed + (bound.scope is not self.scope)
            try:
                value = self.visit(bound.value, bound.scope, expected)
            finally:
                self.shadowed = shadowed
            binding = Binding(bound.name, value.type, True)
            bound.instances.append((binding, value))
            return Typed(term, value.type, (), (binding,), frozenset((binding,)))
        return Typed(term, bound.type, (), (bound,), frozenset((bound,)) if bound.local else NO_BINDINGS)

    def literal(self, term: Literal, scope: Scope, expected: Type | None) -> Typed:
        if term.type.name not in SCALARS and term.type.name != "class":
            raise TypeMismatch(
                f"a literal is a scalar, a text, a date or a label, not {format_type(term.type, 6)}"
            )
        from meristem.values import column_from

        column_from([term.value], term.type)
        return Typed(term, term.type)

    def call(self, term: Call, scope: Scope, expected: Type | None) -> Typed:
        entry = VOCABULARY.find(term.name, term.version)
        if isinstance(entry, Primitive) and entry.rule is not None:
            children = tuple(self.visit(arg, scope, None) for arg in term.args)
            type_ = self.rule(entry, term, children)
        else:
            self.arity(term.name, len(entry.type.parameters), len(term.args))
            scheme = entry.type
            if not scheme.ground:
                self.fresh += 1
                scheme = rename_apart(scheme, f"~{self.fresh}")
                self.scheme_variables.extend((t, term) for t in scheme.walk() if t.is_variable)
            if expected is not None and not scheme.ground:
                self.hint(scheme.result, expected)
            children = self.arguments(term.args, scheme.parameters, scope)
            type_ = scheme.result
        node = Typed(term, type_, children, (), _union(children))
        node.entry = entry
        return node

    def rule(self, entry: Primitive, term: Call, children: tuple[Typed, ...]) -> Type:
        """The result type of a primitive whose type no scheme can say."""
        types = [self.known(child.type) for child in children]
        for type_, child in zip(types, children, strict=True):
            if type_.is_variable:
                raise TypeMismatch(
                    f"the type of {_shorten(child.term)} must be known where {entry.name} takes it"
                )
        assert entry.rule is not None
        if entry.literals:
            values = [arg.value if isinstance(arg, Literal) else None for arg in term.args]
            return entry.rule(*types, literals=values)
        return entry.rule(*types)

    def arguments(
        self, args: tuple[Term, ...], parameters: tuple[Type, ...], scope: Scope
    ) -> tuple[Typed, ...]:
        """Type arguments, data first: then the parameters of a lambda among them are known when it is typed."""
        children: list[Typed | None] = [None] * len(args)
        later = [i for i, p in enumerate(parameters) if p.is_function]
        for i in [i for i, p in enumerate(parameters) if not p.is_function] + later:
            children[i] = child = self.visit(args[i], scope, parameters[i])
            self.unify(parameters[i], child.type, args[i])
        return tuple(child for child in children if child is not None)

    def hint(self, type_: Type, expected: Type) -> None:
        """Take what the surroundings expect into account, if it fits; the caller reports it if it does not."""
        trial = dict(self.substitution)
        try:
            unify(type_, expected, trial)
        except TypeMismatch:
            return
        self.substitution.update(trial)

    def arity(self, name: str, wanted: int, got: int) -> None:
        if wanted != got:
            raise TypeMismatch(f"{name} takes {wanted} argument(s), got {got}")

    def if_(self, term: If, scope: Scope, expected: Type | None) -> Typed:
        condition = self.visit(term.condition, scope, BOOL)
        self.unify(BOOL, condition.type, term.condition)
        then = self.visit(term.then, scope, expected)
        otherwise = self.visit(term.otherwise, scope, expected)
        self.unify(then.type, otherwise.type, term.otherwise)
        children = (condition, then, otherwise)
        return Typed(
            term, _wider(self.known(then.type), self.known(otherwise.type)), children, (), _union(children)
        )

    def let(self, term: Let, scope: Scope, expected: Type | None) -> Typed:
        if not isinstance(term.value, Lambda):
            value = self.visit(term.value, scope, None)
            type_ = self.known(value.type)
            if type_.ground or self.is_fixed(type_, scope):
                binding = Binding(term.name, type_, True)
                inner = self.bind(scope, [term.name], [binding])
                body = self.visit_in(term.body, inner, [term.name], expected)
                return self.let_node(term, ((binding, value),), body)
        bound = _Open(term.name, term.value, scope)
        body = self.visit_in(term.body, self.bind(scope, [term.name], [bound]), [term.name], expected)
        if not bound.instances:
            value = self.visit(term.value, scope, None)
            bound.instances.append((Binding(term.name, value.type, True), value))
        return self.let_node(term, tuple(bound.instances), body)

    def let_node(self, term: Let, values: tuple[tuple[Binding, Typed], ...], body: Typed) -> Typed:
        bindings = tuple(binding for binding, _ in values)
        children = (*(value for _, value in values), body)
        uses = _union(children)
        return Typed(term, body.type, children, bindings, uses.difference(bindings) if uses else uses)

    def is_fixed(self, type_: Type, scope: Scope) -> bool:
        """Whether all variables of a type belong to enclosing parameters, so that there is nothing to generalize."""
        outer: set[str] = set()
        for bound in scope.values():
            if isinstance(bound, Binding) and not bound.type.ground:
                outer |= variables_of(self.known(bound.type))
        return variables_of(type_) <= outer

    def lambda_(self, term: Lambda, scope: Scope, expected: Type | None) -> Typed:
        if not term.parameters:
            raise TypeMismatch("a function takes at least one argument")
        if len(set(term.parameters)) != len(term.parameters):
            raise TypeMismatch(f"a parameter stands twice in {list(term.parameters)}")
        wanted = self.known(expected) if expected is not None else None
        types: Sequence[Type]
        result = None
        if wanted is not None and wanted.is_function and len(wanted.parameters) == len(term.parameters):
            types, result = wanted.parameters, wanted.result
        else:
            types = [self.new() for _ in term.parameters]
        bindings = tuple(Binding(n, t, True) for n, t in zip(term.parameters, types, strict=True))
        inner = self.bind(scope, term.parameters, bindings)
        body = self.visit_in(term.body, inner, term.parameters, result)
        uses = body.uses.difference(bindings)
        return Typed(term, function_of(*types, body.type), (body,), bindings, uses)

    def apply(self, term: Apply, scope: Scope, expected: Type | None) -> Typed:
        if isinstance(term.function, Lambda) and len(term.function.parameters) == len(term.args):
            # The arguments come first, so that the parameters are known in the body.
            args = [self.visit(arg, scope, None) for arg in term.args]
            known = function_of(*(arg.type for arg in args), expected or self.new())
            function = self.visit(term.function, scope, known)
        else:
            function = self.visit(term.function, scope, None)
            type_ = self.known(function.type)
            if type_.is_variable:
                args = [self.visit(arg, scope, None) for arg in term.args]
            elif not type_.is_function:
                raise TypeMismatch(f"expected a function, got {format_type(type_, 6)}")
            else:
                self.arity("this function", len(type_.parameters), len(term.args))
                args = list(self.arguments(term.args, type_.parameters, scope))
        result = self.new()
        self.unify(function.type, function_of(*(arg.type for arg in args), result), term)
        children = (function, *args)
        return Typed(term, result, children, (), _union(children))

    def field(self, term: Field, scope: Scope, expected: Type | None) -> Typed:
        record = self.visit(term.record, scope, None)
        type_ = self.known(record.type)
        if type_.is_variable:
            raise TypeMismatch(f"the type of {_shorten(term.record)} must be known where its field is taken")
        if type_.name != "row":
            raise TypeMismatch(f"expected a row, got {format_type(type_, 6)}")
        found = type_.args[type_.params.index(term.name)] if term.name in type_.params else None
        if found is None:
            raise TypeMismatch(f"there is no field {term.name!r} in {format_type(type_, 12)}")
        return Typed(term, found, (record,), (), record.uses)

    def record(self, term: Record, scope: Scope, expected: Type | None) -> Typed:
        if len(set(term.names)) != len(term.names) or len(term.names) != len(term.values):
            raise TypeMismatch(f"the fields of a record are named once each, got {list(term.names)[:12]}")
        wanted = self.known(expected).fields if expected is not None and expected.name == "row" else {}
        children = tuple(
            self.visit(v, scope, wanted.get(n)) for n, v in zip(term.names, term.values, strict=True)
        )
        return Typed(
            term,
            row_of(dict(zip(term.names, (c.type for c in children), strict=True))),
            children,
            (),
            _union(children),
        )

    def list_of(self, term: ListOf, scope: Scope, expected: Type | None) -> Typed:
        item: Type = self.new()
        if expected is not None and expected.name == "list":
            item = expected.item
        children = []
        kept = self.new()
        for each in term.items:
            child = self.visit(each, scope, item)
            self.unify(kept, child.type, each)
            kept = _wider(self.known(kept), self.known(child.type))
            children.append(child)
        return Typed(term, list_of(kept), tuple(children), (), _union(children))

    def module(self, term: Module, scope: Scope, expected: Type | None) -> Typed:
        kind = KINDS.find(term.kind, term.version)
        settings = settings_of(kind, term.settings)
        children = tuple(self.visit(arg, scope, None) for arg in term.args)
        types = [self.known(child.type) for child in children]
        for type_, child in zip(types, children, strict=True):
            if not type_.ground:
                raise TypeMismatch(
                    f"the type of {_shorten(child.term)} must be known where {term.kind} takes it"
                )
            if type_.is_function:
                raise TypeMismatch(f"{term.kind} takes data, got a function")
        type_ = kind.type_of(types, self.target if term.output is None else term.output)
        if term.output is not None:
            unify(term.output, type_, {})
            type_ = _wider(type_, term.output)
        if not type_.ground:
            raise TypeMismatch(f"the result of {term.kind} must be known, got {type_}")
        node = Typed(term, type_, children, (), _union(children))
        node.entry, node.settings = kind, settings
        return node

    def hole(self, term: Hole, scope: Scope, expected: Type | None) -> Typed:
        if term.type is None:
            return Typed(term, self.new())
        self.fresh += 1
        return Typed(term, rename_apart(term.type, f"~{self.fresh}"))

    # ------------------------------------------------------------------------------------------ the end

    def finish(self, root: Typed) -> Typed:
        """Put the solution into every node, and check what only the solution shows."""
        nodes = list(root.walk())
        bindings = list({id(b): b for node in nodes for b in node.bindings}.values())
        everything: list[Typed | Binding] = [*nodes, *bindings]
        solved = substitute_all([each.type for each in everything], self.substitution)
        for each, type_ in zip(everything, solved, strict=True):
            each.type = type_
        for node in nodes:
            try:
                check_type(node.type)
                if isinstance(node.term, If) and node.type.is_function:
                    raise TypeMismatch("the branches of an if may not be functions")
            except TypeMismatch as error:
                raise TermTypeError(f"{error}; in {_shorten(node.term)}") from None
        for var, term in self.scheme_variables:
            if substitute(var, self.substitution).is_function:
                raise TermTypeError(f"expected data, got a function; in {_shorten(term)}")
        return root


_Visit = Callable[[_Inference, Any, Scope, Type | None], Typed]
_VISIT: dict[type[Term], _Visit] = {
    Variable: _Inference.variable,
    Literal: _Inference.literal,
    Call: _Inference.call,
    If: _Inference.if_,
    Let: _Inference.let,
    Lambda: _Inference.lambda_,
    Apply: _Inference.apply,
    Field: _Inference.field,
    Record: _Inference.record,
    ListOf: _Inference.list_of,
    Module: _Inference.module,
    Hole: _Inference.hole,
}


def _wider(left: Type, right: Type) -> Type:
    """Of two types that differ in dimensions only, one whose dimensions are known where both agree."""
    if left is right or left == right:
        return left
    args = tuple(_wider(a, b) for a, b in zip(left.args, right.args, strict=True)) if left.args else ()
    if left.name != right.name:
        return left
    params = left.params
    if left.params != right.params:
        params = tuple(a if a == b else None for a, b in zip(left.params, right.params, strict=True))
    return Type(left.name, args, params, left.kind)


def _union(children: Sequence[Typed]) -> frozenset[Binding]:
    """The bindings that any of these uses."""
    uses = [child.uses for child in children if child.uses]
    return frozenset().union(*uses) if uses else NO_BINDINGS


def _shorten(term: Term, limit: int = 160) -> str:
    """The text form of a term, cut for a message."""
    from meristem.language.text import format_term

    if term.size > 400:  # formatting much to show little
        return f"{type(term).__name__.lower()} of {term.size:,} nodes"
    try:
        text = format_term(term)
    except TypeMismatch:
        return type(term).__name__.lower()
    return text if len(text) <= limit else text[: limit - 3] + "..."


__all__ = [
    "MAX_DEPTH",
    "MAX_NODES",
    "Binding",
    "TermTypeError",
    "Typed",
    "check_size",
    "check_type",
    "default_variables",
    "ensure_stack",
    "expect",
    "infer",
]
