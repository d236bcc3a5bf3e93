"""Reads of memberships: direct, transitive, counted, and checked against a list of groups."""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.graph.access import Caller
from sandbox.graph.bodies import json_object
from sandbox.graph.directory import ObjectVersion
from sandbox.graph.errors import bad_request
from sandbox.graph.odata import Page, context, renderer, selected
from sandbox.graph.reads import find_principal, require_eventual
from sandbox.graph.routing import Row
from sandbox.graph.schema import COLLECTIONS, KIND_OF_TYPE, MEMBER_KINDS, Kind
from sandbox.graph.state import DIRECT, TRANSITIVE, GraphState
from sandbox.graph.view import View

MOST_GROUPS_CHECKED = 20
Walk = Callable[[View, str], list[ObjectVersion]]
OF_A_MEMBER: dict[str, tuple[Walk, str]] = {
    "memberOf": (View.groups_of, DIRECT),
    "transitiveMemberOf": (View.transitive_groups_of, TRANSITIVE),
}
OF_A_GROUP: dict[str, tuple[Walk, str]] = {
    "members": (View.members, DIRECT),
    "transitiveMembers": (View.transitive_members, TRANSITIVE),
}


async def list_memberships(
    request: Request, state: GraphState, _: Caller, *, kind: Kind, relation: tuple[Walk, str], cast: str | None = None
) -> Response:
    walk, kind_of_read = relation
    page = Page.of(request, state, kind_of_read)
    if request.query_params.get("$count") == "true" or "$filter" in request.query_params:
        require_eventual(request)
    found = _of_type(walk(page.view, find_principal(page.view, request.path_params["id"], kind).id), cast)
    return page.answer(request, found, renderer(selected(request, Kind), typed=True), "directoryObjects")


async def count_memberships(
    request: Request, state: GraphState, _: Caller, *, kind: Kind, relation: tuple[Walk, str], cast: str | None = None
) -> Response:
    require_eventual(request)
    walk, kind_of_read = relation
    view = state.view(kind_of_read)
    found = _of_type(walk(view, find_principal(view, request.path_params["id"], kind).id), cast)
    return PlainTextResponse(str(len(found)))


async def check_member_groups(request: Request, state: GraphState, _: Caller, *, kind: Kind | None) -> Response:
    body = await json_object(request)
    asked = body.get("groupIds")
    if not isinstance(asked, list) or not asked:
        raise bad_request("'groupIds' must hold at least one id.")
    if len(asked) > MOST_GROUPS_CHECKED:
        raise bad_request(f"The number of values for 'groupIds' exceeds the limit of {MOST_GROUPS_CHECKED}.")
    view = state.view(TRANSITIVE)
    version = find_principal(view, request.path_params["id"], kind)
    inside = {group.id for group in view.transitive_groups_of(version.id)}
    return _ids(request, [one for one in dict.fromkeys(str(one).lower() for one in asked) if one in inside])


async def get_member_groups(request: Request, state: GraphState, _: Caller, *, kind: Kind | None) -> Response:
    body = await json_object(request)
    view = state.view(TRANSITIVE)
    groups = view.transitive_groups_of(find_principal(view, request.path_params["id"], kind).id)
    only_security = bool(body.get("securityEnabledOnly"))
    return _ids(request, [one.id for one in groups if one.values.get("securityEnabled") or not only_security])


def _of_type(found: list[ObjectVersion], cast: str | None) -> list[ObjectVersion]:
    return [one for one in found if cast is None or cast in {one.type_name, one.kind}]


def _ids(request: Request, ids: list[str]) -> JSONResponse:
    return JSONResponse({"@odata.context": context(request, "Collection(Edm.String)"), "value": ids})


def membership_rows() -> list[Row]:
    """Routes that read memberships."""
    rows: list[Row] = []
    for kind in MEMBER_KINDS:
        base = f"/{COLLECTIONS[kind]}/{{id}}"
        relations = OF_A_MEMBER | OF_A_GROUP if kind is Kind.GROUP else OF_A_MEMBER
        for name, relation in relations.items():
            rows += _rows_of_relation(f"{base}/{name}", kind, relation)
    for collection, of_kind in (("directoryObjects", None), *((COLLECTIONS[kind], kind) for kind in MEMBER_KINDS)):
        rows += [
            ("POST", f"/{collection}/{{id}}/checkMemberGroups", partial(check_member_groups, kind=of_kind)),
            ("POST", f"/{collection}/{{id}}/getMemberGroups", partial(get_member_groups, kind=of_kind)),
        ]
    return rows


def _rows_of_relation(path: str, kind: Kind, relation: tuple[Walk, str]) -> list[Row]:
    rows: list[Row] = []
    for cast in (None, *(name for name, base in KIND_OF_TYPE.items() if base in MEMBER_KINDS)):
        narrowed = f"{path}/microsoft.graph.{cast}" if cast else path
        rows += [
            ("GET", narrowed, partial(list_memberships, kind=kind, relation=relation, cast=cast)),
            ("GET", f"{narrowed}/$count", partial(count_memberships, kind=kind, relation=relation, cast=cast)),
        ]
    return rows
