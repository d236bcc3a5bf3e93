"""Reads of objects: by id, by alternate key, filtered, from the recycle bin."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.graph.access import Caller
from sandbox.graph.bodies import json_object
from sandbox.graph.directory import ObjectVersion
from sandbox.graph.errors import bad_request, not_found, unsupported_query
from sandbox.graph.filters import parse_filter
from sandbox.graph.odata import Page, context, render, renderer, selected
from sandbox.graph.routing import Row
from sandbox.graph.schema import COLLECTIONS, KIND_OF_TYPE, RELATIONS, Kind
from sandbox.graph.state import GraphState
from sandbox.graph.view import View

MOST_IDS = 1000


def find_principal(view: View, object_id: str, kind: Kind | None) -> ObjectVersion:
    """A live object by id, a user by principal name too; raises Graph's 404."""
    version = view.find(object_id.lower())
    if version is None and kind is Kind.USER:
        version = view.find_by(kind, "userPrincipalName", object_id)
    if version is None or (kind and version.kind is not kind):
        raise not_found(object_id)
    return version


def matching(request: Request, view: View, kind: Kind, type_name: str | None) -> list[ObjectVersion]:
    """The live objects that pass `$filter`; raises Graph's 400 for query options it does not support."""
    for option in ("$orderby", "$search", "$expand"):
        if option in request.query_params:
            raise unsupported_query(f"'{option}' is not supported here.")
    condition = parse_filter(request.query_params["$filter"], kind) if "$filter" in request.query_params else None
    ids = condition.candidates(view.directory, kind) if condition else None
    found = (version for version in view.live(kind, ids) if condition is None or condition.matches(version.values))
    return [version for version in found if type_name is None or version.type_name == type_name]


async def list_objects(
    request: Request, state: GraphState, _: Caller, *, kind: Kind, type_name: str | None = None
) -> Response:
    page = Page.of(request, state)
    names = selected(request, (kind,))
    return page.answer(request, matching(request, page.view, kind, type_name), renderer(names), COLLECTIONS[kind])


async def count_objects(request: Request, state: GraphState, _: Caller, *, kind: Kind) -> Response:
    require_eventual(request)
    return PlainTextResponse(str(len(matching(request, state.view(), kind, None))))


async def read_object(
    request: Request, state: GraphState, _: Caller, *, kind: Kind, type_name: str | None = None
) -> Response:
    names = selected(request, (kind,))
    version = find_principal(state.view(), request.path_params["id"], kind)
    if type_name and version.type_name != type_name:
        raise not_found(version.id)
    return JSONResponse(_entity(request, COLLECTIONS[kind], render(version, names)))


async def read_by_app_id(request: Request, state: GraphState, _: Caller, *, kind: Kind) -> Response:
    names = selected(request, (kind,))
    version = state.view().find_by(kind, "appId", request.path_params["app_id"])
    if version is None:
        raise not_found(request.path_params["app_id"])
    return JSONResponse(_entity(request, COLLECTIONS[kind], render(version, names)))


async def read_directory_object(request: Request, state: GraphState, _: Caller) -> Response:
    names = selected(request, Kind)
    version = find_principal(state.view(), request.path_params["id"], None)
    return JSONResponse(_entity(request, "directoryObjects", render(version, names, typed=True)))


async def get_by_ids(request: Request, state: GraphState, _: Caller) -> Response:
    body = await json_object(request)
    ids, types = body.get("ids"), body.get("types")
    if not isinstance(ids, list) or not 0 < len(ids) <= MOST_IDS:
        raise bad_request(f"'ids' must hold between 1 and {MOST_IDS} ids.")
    found = [version for one in ids if (version := state.view().find(str(one).lower()))]
    wanted = [version for version in found if not types or version.kind in types or "directoryObject" in types]
    rows = [render(version, typed=True) for version in wanted]
    return JSONResponse({"@odata.context": context(request, "directoryObjects"), "value": rows})


async def list_related(request: Request, state: GraphState, _: Caller, *, kind: Kind, relation: str) -> Response:
    page = Page.of(request, state)
    return _related(page, request, state, find_principal(page.view, request.path_params["id"], kind), relation)


async def list_related_by_app_id(
    request: Request, state: GraphState, _: Caller, *, kind: Kind, relation: str
) -> Response:
    page = Page.of(request, state)
    version = page.view.find_by(kind, "appId", request.path_params["app_id"])
    if version is None:
        raise not_found(request.path_params["app_id"])
    return _related(page, request, state, version, relation)


def _related(page: Page, request: Request, state: GraphState, version: ObjectVersion, relation: str) -> Response:
    ids = state.directory.relations.get((version.id, relation), [])
    rows = [related for one in ids if (related := page.view.find(one))]
    return page.answer(request, rows, renderer(selected(request, Kind), typed=True), "directoryObjects")


async def read_deleted(request: Request, state: GraphState, _: Caller) -> Response:
    names = selected(request, Kind)
    version = state.view().find_deleted(request.path_params["id"].lower())
    if version is None:
        raise not_found(request.path_params["id"])
    named = names or ("deletedDateTime", *render(version))
    return JSONResponse(_entity(request, "directoryObjects", render(version, named, typed=True)))


async def list_deleted(request: Request, state: GraphState, _: Caller, *, kind: Kind) -> Response:
    page = Page.of(request, state)
    names = selected(request, (kind,))
    rows = [*page.view.deleted(kind)]
    return page.answer(request, rows, lambda one: render(one, names or ("deletedDateTime", *render(one))), kind)


def require_eventual(request: Request) -> None:
    """Let only requests with `ConsistencyLevel: eventual` count, as Graph does."""
    if request.headers.get("consistencylevel", "").lower() != "eventual":
        raise unsupported_query("$count is not currently supported without the header ConsistencyLevel: eventual.")


def _entity(request: Request, collection: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"@odata.context": context(request, f"{collection}/$entity")} | body


def read_rows() -> list[Row]:
    """Routes that read objects."""
    rows: list[Row] = []
    for kind, name in COLLECTIONS.items():
        rows += [
            ("GET", f"/{name}", partial(list_objects, kind=kind)),
            ("GET", f"/{name}/$count", partial(count_objects, kind=kind)),
            ("GET", f"/directory/deletedItems/microsoft.graph.{kind}", partial(list_deleted, kind=kind)),
        ]
        rows += [("GET", f"/{name}/{{id}}/{one}", partial(list_related, kind=kind, relation=one)) for one in RELATIONS]
    for derived, kind in KIND_OF_TYPE.items():
        if derived != kind:
            rows += _rows_of_derived_type(COLLECTIONS[kind], derived, kind)
    for kind in (Kind.SERVICE_PRINCIPAL, Kind.APPLICATION):
        by_app_id = f"/{COLLECTIONS[kind]}(appId='{{app_id}}')"
        rows.append(("GET", by_app_id, partial(read_by_app_id, kind=kind)))
        for one in RELATIONS:
            rows.append(("GET", f"{by_app_id}/{one}", partial(list_related_by_app_id, kind=kind, relation=one)))
    rows += [("GET", f"/{name}/{{id}}", partial(read_object, kind=kind)) for kind, name in COLLECTIONS.items()]
    return [
        *rows,
        ("GET", "/directoryObjects/{id}", read_directory_object),
        ("POST", "/directoryObjects/getByIds", get_by_ids),
        ("GET", "/directory/deletedItems/{id}", read_deleted),
    ]


def _rows_of_derived_type(collection: str, derived: str, kind: Kind) -> list[Row]:
    cast = f"microsoft.graph.{derived}"
    return [
        ("GET", f"/{collection}/{cast}", partial(list_objects, kind=kind, type_name=derived)),
        ("GET", f"/{collection}/{{id}}/{cast}", partial(read_object, kind=kind, type_name=derived)),
        *(
            ("GET", f"/{collection}/{{id}}/{cast}/{one}", partial(list_related, kind=kind, relation=one))
            for one in RELATIONS
        ),
    ]
