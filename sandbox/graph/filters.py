"""The part of OData's `$filter` that Graph answers without advanced queries."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.graph.directory import INDEXED, Directory
from sandbox.graph.errors import GraphError, bad_request, unsupported_query
from sandbox.graph.schema import KIND_PROPERTIES, Kind

MOST_ALTERNATIVES = 15  # Graph refuses longer `in` lists and `or` chains
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w./]*)|([(),:]))")


class Condition(Protocol):
    """One parsed filter."""

    def matches(self, values: dict[str, Any]) -> bool:
        """Whether an object with these values passes."""
        ...

    def candidates(self, directory: Directory, kind: Kind) -> Iterable[str] | None:
        """Ids among which every match lies, or None when all objects have to be looked at."""
        ...


@dataclass(frozen=True, slots=True)
class Equals:
    """`property eq value`; strings compare without regard to case."""

    name: str
    value: str | bool | None

    def matches(self, values: dict[str, Any]) -> bool:
        """Whether the property has the value."""
        actual = values.get(self.name)
        if isinstance(actual, str) and isinstance(self.value, str):
            return actual.lower() == self.value.lower()
        return actual == self.value

    def candidates(self, directory: Directory, kind: Kind) -> Iterable[str] | None:
        """Found in the index where there is one."""
        if isinstance(self.value, str) and (self.name == "id" or self.name in INDEXED):
            return directory.ids_with(kind, self.name, self.value)
        return None


@dataclass(frozen=True, slots=True)
class AnyEquals:
    """`property/any(p:p eq 'value')`."""

    name: str
    value: str

    def matches(self, values: dict[str, Any]) -> bool:
        """Whether one item of the collection has the value."""
        return any(str(item).lower() == self.value.lower() for item in values.get(self.name) or ())

    def candidates(self, directory: Directory, kind: Kind) -> Iterable[str] | None:  # noqa: ARG002 - a promise of all conditions
        """No index."""
        return None


@dataclass(frozen=True, slots=True)
class StartsWith:
    """`startswith(property,'value')`."""

    name: str
    value: str

    def matches(self, values: dict[str, Any]) -> bool:
        """Whether the property begins with the value."""
        return str(values.get(self.name) or "").lower().startswith(self.value.lower())

    def candidates(self, directory: Directory, kind: Kind) -> Iterable[str] | None:  # noqa: ARG002 - a promise of all conditions
        """No index."""
        return None


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Conditions joined by `or`, or the values of an `in`."""

    parts: tuple[Condition, ...]

    def matches(self, values: dict[str, Any]) -> bool:
        """Whether one part passes."""
        return any(part.matches(values) for part in self.parts)

    def candidates(self, directory: Directory, kind: Kind) -> Iterable[str] | None:
        """All parts' candidates together, each once."""
        found: dict[str, None] = {}
        for part in self.parts:
            ids = part.candidates(directory, kind)
            if ids is None:
                return None
            found |= dict.fromkeys(ids)
        return found


@dataclass(frozen=True, slots=True)
class AllOf:
    """Conditions joined by `and`."""

    parts: tuple[Condition, ...]

    def matches(self, values: dict[str, Any]) -> bool:
        """Whether all parts pass."""
        return all(part.matches(values) for part in self.parts)

    def candidates(self, directory: Directory, kind: Kind) -> Iterable[str] | None:
        """The first part's candidates that are known."""
        known = (part.candidates(directory, kind) for part in self.parts)
        return next((ids for ids in known if ids is not None), None)


def parse_filter(text: str, kind: Kind) -> Condition:
    """The condition that a `$filter` states; raises Graph's 400 for anything it does not support."""
    reader = _Reader(text, kind)
    condition = reader.alternatives()
    if reader.peek():
        raise unsupported_query(f"Unsupported Query: unexpected '{reader.peek()}' in $filter.")
    return condition


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if not found:
            raise GraphError(400, "BadRequest", f"Invalid filter clause: syntax error at position {at} in '{text}'.")
        yield found.group(0).strip()
        at = found.end()


class _Reader:
    def __init__(self, text: str, kind: Kind) -> None:
        self.tokens = [*_tokens(text)]
        self.kind = kind

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise unsupported_query(f"Unsupported or invalid query filter clause near '{token}'.")
        return self.tokens.pop(0)

    def alternatives(self) -> Condition:
        parts = [self.conjunction()]
        while self.peek() == "or":
            self.take()
            parts.append(self.conjunction())
        return _limited(parts)

    def conjunction(self) -> Condition:
        parts = [self.term()]
        while self.peek() == "and":
            self.take()
            parts.append(self.term())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def term(self) -> Condition:
        if self.peek() == "(":
            self.take()
            inner = self.alternatives()
            self.take(")")
            return inner
        word = self.take()
        if word == "startswith":
            return self.starts_with()
        if word.endswith("/any"):
            return self.any_item(word.removesuffix("/any"))
        return self.comparison(self.known(word))

    def comparison(self, name: str) -> Condition:
        operator = self.take()
        if operator == "eq":
            return Equals(name, self.literal())
        if operator == "in":
            return self.one_of(name)
        raise unsupported_query(f"Unsupported Query: operator '{operator}' on property '{name}'.")

    def one_of(self, name: str) -> Condition:
        self.take("(")
        parts: list[Condition] = [Equals(name, self.literal())]
        while self.peek() == ",":
            self.take()
            parts.append(Equals(name, self.literal()))
        self.take(")")
        return _limited(parts)

    def starts_with(self) -> Condition:
        self.take("(")
        name = self.known(self.take())
        self.take(",")
        value = self.string()
        self.take(")")
        return StartsWith(name, value)

    def any_item(self, name: str) -> Condition:
        self.take("(")
        variable = self.take()
        self.take(":")
        self.take(variable)
        self.take("eq")
        value = self.string()
        self.take(")")
        return AnyEquals(self.known(name), value)

    def known(self, name: str) -> str:
        if name not in KIND_PROPERTIES[self.kind]:
            raise bad_request(f"Could not find a property named '{name}' on type 'microsoft.graph.{self.kind}'.")
        return name

    def literal(self) -> str | bool | None:
        if self.peek() in {"true", "false"}:
            return self.take() == "true"
        if self.peek() == "null":
            self.take()
            return None
        return self.string()

    def string(self) -> str:
        token = self.take()
        if not token.startswith("'"):
            raise unsupported_query(f"Unsupported or invalid query filter clause near '{token}'.")
        return token[1:-1].replace("''", "'")


def _limited(parts: list[Condition]) -> Condition:
    if len(parts) > MOST_ALTERNATIVES:
        message = (
            "Too many child clauses specified in search filter expression containing 'OR' operators: "
            f"{len(parts)}. Max allowed: {MOST_ALTERNATIVES}."
        )
        raise unsupported_query(message)
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))
