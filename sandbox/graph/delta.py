"""Delta query: what a reader who was here before has not seen yet."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.graph.access import Caller
from sandbox.graph.delta_rows import changed_rows, snapshot_rows
from sandbox.graph.errors import GraphError, bad_request, unsupported_query
from sandbox.graph.filters import AnyOf, Equals, parse_filter
from sandbox.graph.odata import context, link, selected
from sandbox.graph.routing import Row
from sandbox.graph.schema import COLLECTIONS, KIND_PROPERTIES, Kind
from sandbox.graph.state import DELTA, GraphState
from sandbox.graph.tokens import pack, unpack
from sandbox.graph.view import View

TOKEN_LIFETIME_SECONDS = 7 * 24 * 3600
MOST_FILTERED = 50
SKIP, DELTA_TOKEN = "$skiptoken", "$deltatoken"


@dataclass(frozen=True, slots=True)
class Round:
    """One walk from a position (None for everything) up to another, page by page."""

    names: tuple[str, ...]
    ids: tuple[str, ...]
    start: int | None
    until: int
    offset: int = 0

    def token(self, state: GraphState, *, start: int | None, until: int | None, offset: int) -> str:
        """A link's token: this round's question, further on."""
        values = {"n": self.names, "i": self.ids, "s": start, "u": until, "o": offset}
        return pack(values | {"e": state.epoch, "t": state.clock()})


async def read_delta(request: Request, state: GraphState, _: Caller, *, kind: Kind) -> Response:
    current = _round(request, state, kind)
    minimal = "return=minimal" in request.headers.get("prefer", "")
    view = View(state.directory, current.until)
    limit = state.switches["deltaMembersPerObject"]
    if current.start is None:
        rows = snapshot_rows(view, kind, current.names, current.ids, limit)
    else:
        rows = changed_rows(view, kind, current.names, current.ids, limit, since=current.start, minimal=minimal)
    end = current.offset + int(state.switches["deltaPageSize"])
    body: dict[str, Any] = {"@odata.context": context(request, f"{COLLECTIONS[kind]}/$delta")}
    if end < len(rows):
        token = current.token(state, start=current.start, until=current.until, offset=end)
        body["@odata.nextLink"] = link(request, _path(kind), {SKIP: token})
    else:
        token = current.token(state, start=current.until, until=None, offset=0)
        body["@odata.deltaLink"] = link(request, _path(kind), {DELTA_TOKEN: token})
    body["value"] = rows[current.offset : end]
    return JSONResponse(body)


def _round(request: Request, state: GraphState, kind: Kind) -> Round:
    query = request.query_params
    token = query.get(SKIP) or query.get(DELTA_TOKEN)
    until = state.position(DELTA)
    if not token or token == "latest":
        names, ids = _tracked(request, kind), _filtered(request, kind)
        return Round(names, ids, until if token else None, until)
    values = _read_token(request, state, kind, token)
    names, ids = tuple(values["n"]), tuple(values["i"])
    if values["u"] is not None:
        return Round(names, ids, values["s"], values["u"], values["o"])
    start = state.directory.log.rewound(values["s"], int(state.switches["deltaReplay"]), kind)
    return Round(names, ids, start, max(values["s"], until))


def _read_token(request: Request, state: GraphState, kind: Kind, token: str) -> dict[str, Any]:
    try:
        values = unpack(token)
        issued_at = float(values["t"])
    except (ValueError, KeyError) as error:
        raise GraphError(400, "Directory_BadRequest", "Badly formed token.") from error
    if state.switches["deltaSyncStateNotFound"] and issued_at <= state.switched_at["deltaSyncStateNotFound"]:
        message = "The delta token is expired and data must be synchronized again."
        raise GraphError(400, "syncStateNotFound", message)
    expired = state.switches["deltaExpired"] and issued_at <= state.switched_at["deltaExpired"]
    too_old = state.clock() - issued_at > TOKEN_LIFETIME_SECONDS
    if expired or too_old or values["e"] != state.epoch:
        query = {"$select": ",".join(values["n"])} if values["n"] else {}
        location = link(request, _path(kind), {**query, DELTA_TOKEN: ""})
        raise GraphError(410, "resyncRequired", "Resync required. Start over.", {"Location": location})
    return values


def _tracked(request: Request, kind: Kind) -> tuple[str, ...]:
    for option in ("$expand", "$top", "$orderby", "$search"):
        if option in request.query_params:
            raise unsupported_query(f"'{option}' is not supported on delta.")
    if kind is not Kind.GROUP:
        return selected(request, (kind,))
    asked = [name.strip() for name in request.query_params.get("$select", "").split(",") if name.strip()]
    unknown = [name for name in asked if name != "members" and name not in KIND_PROPERTIES[kind]]
    if unknown:
        raise bad_request(f"Could not find a property named '{unknown[0]}' on type 'microsoft.graph.group'.")
    return tuple(asked)


def _filtered(request: Request, kind: Kind) -> tuple[str, ...]:
    text = request.query_params.get("$filter")
    if not text:
        return ()
    parts = [parse_filter(part, kind) for part in text.split(" or ")]
    flat = [one for part in parts for one in (part.parts if isinstance(part, AnyOf) else (part,))]
    ids = [one.value for one in flat if isinstance(one, Equals) and one.name == "id" and isinstance(one.value, str)]
    if len(ids) != len(flat) or len(ids) > MOST_FILTERED:
        raise unsupported_query(f"Delta filters only by id, and by {MOST_FILTERED} ids at most.")
    return tuple(one.lower() for one in ids)


def _path(kind: Kind) -> str:
    return f"/v1.0/{COLLECTIONS[kind]}/delta"


def delta_rows() -> list[Row]:
    """Delta routes, in both spellings that clients use."""
    return [
        ("GET", f"/{name}/delta{ending}", partial(read_delta, kind=kind))
        for kind, name in COLLECTIONS.items()
        for ending in ("", "()")
    ]
