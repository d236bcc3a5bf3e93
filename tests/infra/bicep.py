"""Bicep files as values: what is declared, and everything that can be known without deploying it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_KINDS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}
_ESCAPES = {"\\'": "'", "\\\\": "\\", "\\n": "\n", "\\t": "\t", "\\r": "\r", "\\$": "$"}
INFRA = Path(__file__).parents[2] / "infra"


@dataclass(frozen=True, slots=True)
class Expression:
    """What only Azure can evaluate, as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Choice(Expression):
    """What is one of two values, as a condition says. It is told from others by its text alone."""

    values: tuple[Any, ...] = field(default=(), compare=False)


class Missing(Expression):
    """A property that was asked of an object without it."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One statement. `target` is a resource's type and version, or a module's path."""

    kind: str
    name: str
    node: Node
    value: Any
    target: str = ""
    is_existing: bool = False

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The objects that it stands for: several where it is a loop."""
        return self.value if isinstance(self.value, list) else [self.value]


@dataclass(frozen=True, slots=True)
class BicepFile:
    """One file: its text, its syntax, what is wrong with its grammar, and what it declares."""

    text: str
    root: Node
    errors: list[str]
    declarations: list[Declaration] = field(default_factory=list)

    def of_kind(self, kind: str) -> dict[str, Declaration]:
        """Every declaration of a kind, by name."""
        return {one.name: one for one in self.declarations if one.kind == kind}

    def resources(self, type_: str) -> list[dict[str, Any]]:
        """What is deployed of a resource type, loops unrolled."""
        found = [one for one in self.of_kind("resource").values() if one.target.partition("@")[0] == type_]
        return [body for one in found if not one.is_existing for body in one.bodies]


def read_infra(folder: Path = INFRA) -> dict[str, str]:
    """The text of every Bicep file, by its path in the folder."""
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.bicep")}


def parse(text: str) -> BicepFile:
    """A file as far as it can be read; a grammar error is one of its `errors`."""
    root = _PARSER.parse(text.encode()).root_node
    errors = [f"line {node.start_point[0] + 1}: cannot be read" for node in walk(root) if node.is_error]
    errors += [f"line {node.start_point[0] + 1}: {node.type} is missing" for node in walk(root) if node.is_missing]
    file = BicepFile(text, root, errors)
    scope: dict[str, Any] = {}
    for node in root.named_children:
        if node.type in _KINDS:
            declared = _declaration(node, scope)
            file.declarations.append(declared)
            if declared.kind == "var":
                scope[declared.name] = declared.value
    return file


def at(value: Any, path: str) -> Any:  # noqa: ANN401 - a value of any shape
    """What is at `a.b.0.c` in a value; nothing where that leads nowhere."""
    for name in path.split("."):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def text_of(value: Any) -> str:  # noqa: ANN401
    """A value as a text: an expression as it is written."""
    return value.text if isinstance(value, Expression) else str(value)


def walk(node: Node) -> Iterator[Node]:
    """The node, and everything in it."""
    yield node
    for child in node.children:
        yield from walk(child)


def source(node: Node) -> str:
    """A node as it is written."""
    return (node.text or b"").decode()


def _declaration(node: Node, scope: Mapping[str, Any]) -> Declaration:
    kind = _KINDS[node.type]
    name, *others = node.named_children
    target = ""
    if kind in ("resource", "module"):
        target, others = source(others[0])[1:-1], others[1:]
    values = [other for other in others if other.type not in ("type", "comment")]
    value = evaluate(values[-1], scope) if values else None
    is_existing = any(child.type == "existing" for child in node.children)
    return Declaration(kind, source(name), node, value, target, is_existing)


def evaluate(node: Node, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a value of any shape
    """The value of an expression; an `Expression` where it depends on more than this file says."""
    evaluator = _EVALUATORS.get(node.type)
    return evaluator(node, scope) if evaluator is not None else Expression(source(node))


def _inside(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type not in ("comment", "diagnostic_comment")]


def _identifier(node: Node, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401
    return scope.get(source(node), Expression(source(node)))


def _array(node: Node, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401
    return [evaluate(child, scope) for child in _inside(node)]


def _object(node: Node, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401
    return {_key(child.named_children[0]): evaluate(child.named_children[-1], scope) for child in _inside(node)}


def _choice(node: Node, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401
    return Choice(source(node), tuple(evaluate(child, scope) for child in _inside(node)[1:]))


def _call(node: Node, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """A union of objects is an object; every other function is Azure's to call."""
    function, arguments = _inside(node)
    if source(function) != "union":
        return Expression(source(node))
    parts = [evaluate(child, scope) for child in _inside(arguments)]
    return {key: value for part in parts if isinstance(part, dict) for key, value in part.items()}


def _key(node: Node) -> str:
    return source(node).strip("'")


def _string(node: Node, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401
    pieces = []
    for child in node.named_children:
        if child.type == "interpolation":
            piece = evaluate(child.named_children[0], scope)
            if not isinstance(piece, str | int):
                return Expression(source(node))
            pieces.append(str(piece))
        elif child.type == "escape_sequence":
            pieces.append(_ESCAPES.get(source(child), source(child)))
        else:
            pieces.append(source(child))
    return "".join(pieces)


def _member(node: Node, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401
    of, name = evaluate(node.named_children[0], scope), source(node.named_children[-1])
    if not isinstance(of, dict):
        return Expression(source(node))
    return of[name] if name in of else Missing(source(node))


def _loop(node: Node, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401
    parameters, items, body = node.named_children[0], node.named_children[-2], node.named_children[-1]
    names = parameters.named_children or [parameters]
    values = evaluate(items, scope)
    if not isinstance(values, list):
        return [evaluate(body, scope)]
    return [evaluate(body, {**scope, source(names[0]): value}) for value in values]


_EVALUATORS: Mapping[str, Callable[[Node, Mapping[str, Any]], Any]] = {
    "string": _string,
    "number": lambda node, _: int(source(node)),
    "boolean": lambda node, _: source(node) == "true",
    "null": lambda _, __: None,
    "array": _array,
    "object": _object,
    "identifier": _identifier,
    "member_expression": _member,
    "for_statement": _loop,
    "if_statement": lambda node, scope: evaluate(_inside(node)[-1], scope),
    "ternary_expression": _choice,
    "call_expression": _call,
}
