"""OData on the wire: `$select`, rendering, and pages with `@odata.nextLink`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse

from sandbox.graph.directory import ObjectVersion
from sandbox.graph.errors import GraphError, bad_request
from sandbox.graph.schema import ALL_PROPERTIES, KIND_OF_TYPE, KIND_PROPERTIES, UNASKED, Kind
from sandbox.graph.state import GraphState
from sandbox.graph.tokens import pack, unpack
from sandbox.graph.view import View

DEFAULT_PAGE, LARGEST_PAGE = 100, 999
Render = Callable[[ObjectVersion], dict[str, Any]]


def link(request: Request, path: str, query: dict[str, str]) -> str:
    """An absolute URL on this server, with `$` left readable as Graph does."""
    base = str(request.base_url).rstrip("/")
    return f"{base}{path}?{urlencode(query, safe='$,()/')}"


def context(request: Request, what: str) -> str:
    """The `@odata.context` of an answer."""
    return f"{str(request.base_url).rstrip('/')}/v1.0/$metadata#{what}"


def selected(request: Request, kinds: Iterable[Kind]) -> tuple[str, ...]:
    """The properties that `$select` names; a name that none of the kinds has is refused."""
    names = tuple(name.strip() for name in request.query_params.get("$select", "").split(",") if name.strip())
    kinds = tuple(kinds)
    for name in names:
        if not any(name in KIND_PROPERTIES[kind] for kind in kinds):
            types = ", ".join(f"microsoft.graph.{kind}" for kind in kinds)
            raise GraphError(400, "BadRequest", f"Could not find a property named '{name}' on type '{types}'.")
    return names


def render(version: ObjectVersion, names: Sequence[str] = (), *, typed: bool = False) -> dict[str, Any]:
    """An object as JSON: the selected properties or the type's usual ones, with its type where Graph states it."""
    defaults = ALL_PROPERTIES[version.type_name]
    values = version.values
    body: dict[str, Any] = {}
    if typed or version.type_name != KIND_OF_TYPE[version.type_name]:
        body["@odata.type"] = f"#microsoft.graph.{version.type_name}"
    for name in names or UNASKED[version.type_name]:
        if name in defaults:
            body[name] = values.get(name, defaults[name])
    return body


def renderer(names: Sequence[str] = (), *, typed: bool = False) -> Render:
    """The same rendering for every object of a list."""
    return lambda version: render(version, names, typed=typed)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing; the moment it answers from stays the same on the pages that follow."""

    view: View
    offset: int
    size: int
    epoch: str

    @classmethod
    def of(cls, request: Request, state: GraphState, kind_of_read: str = "staleReadSeconds") -> "Page":
        """The page that a request asks for; raises Graph's 400 for a bad `$top` or `$skiptoken`."""
        offset, position = 0, state.position(kind_of_read)
        token = request.query_params.get("$skiptoken")
        if token:
            offset, position = _resume(token, state.epoch)
        return cls(View(state.directory, position), offset, _size(request), state.epoch)

    def answer(self, request: Request, rows: Sequence[ObjectVersion], to_json: Render, what: str) -> JSONResponse:
        """The rows of this page and the link to the next."""
        body: dict[str, Any] = {"@odata.context": context(request, what)}
        end = self.offset + self.size
        if request.query_params.get("$count") == "true":
            body["@odata.count"] = len(rows)
        if end < len(rows):
            token = pack({"o": end, "p": self.view.position, "e": self.epoch})
            body["@odata.nextLink"] = link(request, request.url.path, {**request.query_params, "$skiptoken": token})
        body["value"] = [to_json(row) for row in rows[self.offset : end]]
        return JSONResponse(body)


def _size(request: Request) -> int:
    text = request.query_params.get("$top", str(DEFAULT_PAGE))
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive.")
    return int(text)


def _resume(token: str, epoch: str) -> tuple[int, int]:
    try:
        values = unpack(token)
        if values["e"] != epoch:
            raise GraphError(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
        return values["o"], values["p"]
    except (ValueError, KeyError) as error:
        raise GraphError(400, "Directory_ExpiredPageToken", "The specified page token is not valid.") from error
