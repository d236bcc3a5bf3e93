"""Copies of the infrastructure, each with one thing taken out or misspelt."""

from collections.abc import Callable, Iterator

from tree_sitter import Node

from tests.infra.bicep import source, walk
from tests.infra.infrastructure import Infrastructure

Mutants = Iterator[tuple[str, Infrastructure]]


def without_each(infra: Infrastructure, wanted: Callable[[str, Node], bool]) -> Mutants:
    """A copy for each syntax node that is wanted, without it; with a line that says which."""
    for path, node in _nodes(infra, wanted):
        yield _said(path, node), infra.changed(path, _spliced(infra.texts[path], node, ""))


def with_each_misspelt(infra: Infrastructure, wanted: Callable[[str, Node], bool]) -> Mutants:
    """A copy for each syntax node that is wanted, with a letter too many."""
    for path, node in _nodes(infra, wanted):
        text = source(node)
        wrong = f"{text[:-1]}Q'" if text.endswith("'") else f"{text}Q"
        yield _said(path, node), infra.changed(path, _spliced(infra.texts[path], node, wrong))


def _nodes(infra: Infrastructure, wanted: Callable[[str, Node], bool]) -> Iterator[tuple[str, Node]]:
    for path, file in infra.files.items():
        yield from ((path, node) for node in walk(file.root) if wanted(path, node))


def _said(path: str, node: Node) -> str:
    return f"{path}, line {node.start_point[0] + 1}: {source(node).splitlines()[0]}"


def _spliced(text: str, node: Node, instead: str) -> str:
    encoded = text.encode()
    return (encoded[: node.start_byte] + instead.encode() + encoded[node.end_byte :]).decode()
