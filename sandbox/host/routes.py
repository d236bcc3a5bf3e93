"""Azure's route templates: `reports/{id}`, `{id?}`, `{id:int}` and `{*rest}`; static segments win over parameters."""

import re
from dataclasses import dataclass, field

from sandbox.host.app import HostedFunction

ALL_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
_CONSTRAINTS = {"int": r"-?\d+", "long": r"-?\d+", "guid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"}
_PARAMETER = re.compile(r"\{(\*?)(\w+)(?::(\w+))?(\?)?\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One template that fits a path: its functions by method, and the values of its parameters."""

    by_method: dict[str, HostedFunction]
    parameters: dict[str, str]


@dataclass(slots=True)
class RouteTable:
    """Finds the function for a path; literal routes cost one look-up."""

    _literal: dict[str, dict[str, HostedFunction]] = field(default_factory=dict)
    _patterns: list[tuple[int, re.Pattern[str], dict[str, HostedFunction]]] = field(default_factory=list)

    def add(self, prefix: str, function: HostedFunction) -> None:
        """Registers a function under its route below `prefix`."""
        route = str(function.trigger.get("route") or function.name)
        path = "/".join(part for part in (prefix, route.strip("/")) if part)
        methods = dict.fromkeys((method.upper() for method in function.trigger.get("methods") or ALL_METHODS), function)
        if "{" not in path:
            self._literal.setdefault(path.lower(), {}).update(methods)
            return
        self._patterns.append((path.count("{"), _pattern(path), methods))
        self._patterns.sort(key=lambda entry: entry[0])

    def find(self, path: str) -> list[Route]:
        """The routes that fit `path`, the most specific first; matching ignores case, as Azure's does."""
        path = path.strip("/")
        literal = self._literal.get(path.lower())
        if literal is not None:
            return [Route(literal, {})]
        return [
            Route(methods, {name: value for name, value in found.groupdict().items() if value is not None})
            for _, pattern, methods in self._patterns
            if (found := pattern.fullmatch(path)) is not None
        ]


def _pattern(path: str) -> re.Pattern[str]:
    parts = [_segment(segment) for segment in path.split("/")]
    return re.compile("".join(parts).removeprefix("/"), re.IGNORECASE)


def _segment(segment: str) -> str:
    whole = _PARAMETER.fullmatch(segment)
    if whole is None:
        return "/" + "".join(
            _value(_PARAMETER.fullmatch(piece)) if piece.startswith("{") else re.escape(piece)
            for piece in re.split(r"(\{[^}]+\})", segment)
        )
    optional = "?" if whole[4] or whole[1] else ""
    return f"(?:/{_value(whole)}){optional}"


def _value(parameter: re.Match[str] | None) -> str:
    if parameter is None:
        raise ValueError("a route parameter is written {name}, {name?}, {name:int} or {*name}")
    wild, name, constraint, _ = parameter.groups()
    return f"(?P<{name}>{'.*' if wild else _CONSTRAINTS.get(constraint or '', '[^/]+')})"
