"""Reads of applications, service principals and their people, cast and generated tenant together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.graph.bodies import json_object
from sandbox.graph.directory import ObjectVersion
from sandbox.graph.errors import not_found, unsupported_query
from sandbox.graph.filters import AnyOf, Condition, Equals, parse_filter
from sandbox.graph.odata import context, render, selected
from sandbox.graph.posture.listing import Listing, Part, page
from sandbox.graph.posture.live import Call, Read
from sandbox.graph.posture.tenant import Json, Tenant, compact, rendered, type_of
from sandbox.graph.reads import require_eventual
from sandbox.graph.schema import COLLECTIONS, KIND_OF_TYPE, RELATIONS, Kind
from sandbox.graph.state import GraphState
from sandbox.graph.view import View

KINDS = (Kind.APPLICATION, Kind.SERVICE_PRINCIPAL)
MOST_EXPANDED = 20
_COUNTED = re.compile(r"\s*(owners|federatedIdentityCredentials)/\$count (eq|ne) (\d+)\s*")


@dataclass(frozen=True, slots=True)
class Found:
    """What a listing holds: planted objects, indexes of healthy ones, and the cast's."""

    planted: Sequence[Json]
    bulk: Sequence[int]
    cast: Sequence[ObjectVersion]


async def list_objects(call: Call, *, kind: Kind, type_name: str | None = None) -> Response:
    names = selected(call.request, (kind,))
    if "keyCredentials" in names:
        call.posture.faults.spend_key_credentials(call.now)
    expanded = _expanded(call.request)
    state = call.posture.state
    place = call.posture.place(
        call.request, lambda at: _total(_found(call, View(state.directory, at), kind, type_name))
    )
    found = _found(call, View(state.directory, place.position), kind, type_name)
    renderer = _Renderer(call.tenant, state, kind, names, expanded)
    parts = (
        Part(found.planted, renderer.planted),
        Part(found.bulk, renderer.bulk),
        Part(found.cast, renderer.cast),
    )
    return page(call.request, Listing(parts), place, call.posture.epoch, COLLECTIONS[kind])


async def count_objects(call: Call, *, kind: Kind) -> Response:
    require_eventual(call.request)
    return PlainTextResponse(str(_total(_found(call, call.posture.state.view(), kind, None))))


async def read_object(call: Call, *, kind: Kind) -> Response | None:
    names = selected(call.request, (kind,))
    body = call.tenant.find(kind, call.wanted)
    return None if body is None else _object(call, kind, body, names)


async def read_by_app_id(call: Call, *, kind: Kind) -> Response | None:
    names = selected(call.request, (kind,))
    body = call.tenant.find_by_app_id(kind, call.request.path_params["app_id"])
    return None if body is None else _object(call, kind, body, names)


async def read_directory_object(call: Call) -> Response | None:
    found = call.tenant.find_any(call.wanted)
    if found is None:
        return None
    names = selected(call.request, Kind)
    return call.entity(rendered(*found, names, typed=True), "directoryObjects")


async def get_by_ids(call: Call) -> Response | None:
    body = await json_object(call.request)
    ids, types = [str(one) for one in body.get("ids") or ()], body.get("types")
    found = [one for object_id in ids if (one := call.tenant.find_any(object_id))]
    if not found:
        return None
    view = call.posture.state.view()
    rows = [rendered(*one, typed=True) for one in found if not types or one[0] in types or "directoryObject" in types]
    cast = [version for one in ids if (version := view.find(one.lower()))]
    rows += [render(one, typed=True) for one in cast if not types or one.kind in types or "directoryObject" in types]
    return JSONResponse({"@odata.context": context(call.request, "directoryObjects"), "value": rows})


async def list_related(call: Call, *, kind: Kind, relation: str) -> Response | None:
    if call.tenant.find(kind, call.wanted) is None:
        return None
    names = selected(call.request, Kind)
    ids = call.tenant.related(kind, call.wanted, relation)
    return call.listing((Part(_people(call.tenant, call.posture.state, ids, names), compact),), "directoryObjects")


async def list_federated(call: Call) -> Response:
    body = call.tenant.find(Kind.APPLICATION, call.wanted)
    if body is None and call.posture.state.view().find(call.wanted.lower()) is None:
        raise not_found(call.wanted)
    held = call.tenant.garden.federated.get(call.wanted.lower(), [])
    if not call.request.url.path.startswith("/beta"):
        held = [{name: value for name, value in one.items() if name != "claimsMatchingExpression"} for one in held]
    return call.rows(held, f"applications('{call.wanted}')/federatedIdentityCredentials")


async def list_members(call: Call) -> Response | None:
    if call.wanted.lower() not in call.tenant.garden.groups:
        return None
    ids = call.tenant.garden.members[call.wanted.lower()]
    people = _people(call.tenant, call.posture.state, ids, selected(call.request, Kind))
    return call.listing((Part(people, compact),), "directoryObjects")


async def count_members(call: Call) -> Response | None:
    if call.wanted.lower() not in call.tenant.garden.groups:
        return None
    require_eventual(call.request)
    return PlainTextResponse(str(len(call.tenant.garden.members[call.wanted.lower()])))


@dataclass(frozen=True, slots=True)
class _Renderer:
    tenant: Tenant
    state: GraphState
    kind: Kind
    names: tuple[str, ...]
    expanded: str

    def planted(self, body: Json) -> str:
        return compact(rendered(self.kind, body, self.names) | self._more(body["id"]))

    def bulk(self, index: int) -> str:
        bulk, is_application = self.tenant.bulk, self.kind is Kind.APPLICATION
        if self.expanded:
            return self.planted(bulk.application(index) if is_application else bulk.principal(index))
        render_some = bulk.render_applications if is_application else bulk.render_principals
        return render_some((index,), self.names)[0]

    def cast(self, version: ObjectVersion) -> str:
        return compact(render(version, self.names) | self._more(version.id))

    def _more(self, object_id: str) -> Json:
        if not self.expanded:
            return {}
        ids = self.tenant.related(self.kind, object_id, self.expanded)
        ids = ids or self.state.directory.relations.get((object_id, self.expanded), [])
        return {self.expanded: _people(self.tenant, self.state, ids[:MOST_EXPANDED], ())}


def _people(tenant: Tenant, state: GraphState, ids: Sequence[str], names: tuple[str, ...]) -> list[Json]:
    view = state.view()
    rows: list[Json] = []
    for one in ids:
        body = tenant.garden.users.get(one)
        found = (Kind.USER, body) if body else tenant.find_any(one)
        version = view.find(one)
        if found:
            rows.append(rendered(*found, names, typed=True))
        elif version:
            rows.append(render(version, names, typed=True))
    return rows


def _object(call: Call, kind: Kind, body: Json, names: tuple[str, ...]) -> Response:
    shown = rendered(kind, body, names)
    if kind in KINDS and "keyCredentials" in names:
        call.posture.faults.spend_key_credentials(call.now)
        keys = call.tenant.garden.certificates
        shown["keyCredentials"] = [
            one | {"key": keys.get(one["keyId"], call.tenant.usual_certificate)} for one in shown["keyCredentials"]
        ]
    return call.entity(shown, COLLECTIONS[kind])


def _total(found: Found) -> int:
    return len(found.planted) + len(found.bulk) + len(found.cast)


def _found(call: Call, view: View, kind: Kind, type_name: str | None) -> Found:
    text = call.request.query_params.get("$filter", "")
    counted = _COUNTED.fullmatch(text)
    if counted:
        require_eventual(call.request)
        if "/$count" not in call.request.url.path and call.request.query_params.get("$count") != "true":
            raise unsupported_query("Filters on $count need $count=true.")
        return _counted(call, view, kind, counted)
    condition = parse_filter(text, kind) if text else None
    cast = [one for one in view.live(kind) if condition is None or condition.matches(one.values)]
    planted = [one for one in call.tenant.planted(kind) if condition is None or condition.matches(one)]
    if type_name:
        planted = [one for one in planted if type_of(kind, one) == type_name]
        return Found(planted, (), [one for one in cast if one.type_name == type_name])
    return Found(planted, _bulk(call.tenant, kind, condition), cast)


def _counted(call: Call, view: View, kind: Kind, counted: re.Match[str]) -> Found:
    tenant, state = call.tenant, call.posture.state
    relation, operator, number = counted[1], counted[2], int(counted[3])
    if relation == "owners" and operator == "eq":
        planted = [one for one in tenant.planted(kind) if len(tenant.garden.owners[one["id"]]) == number]
        cast = [one for one in view.live(kind) if len(state.directory.relations.get((one.id, relation), [])) == number]
        return Found(planted, tenant.bulk_with_owners(kind, number), cast)
    if relation == "owners" or operator != "ne" or number or kind is not Kind.APPLICATION:
        raise unsupported_query(f"Unsupported Query: '{relation}/$count {operator} {number}' on '{kind}'.")
    return Found([one for one in tenant.planted(kind) if tenant.garden.federated.get(one["id"])], (), [])


def _bulk(tenant: Tenant, kind: Kind, condition: Condition | None) -> Sequence[int]:
    if condition is None:
        return range(tenant.size(kind))
    wanted = condition.parts if isinstance(condition, AnyOf) else (condition,)
    if all(isinstance(one, Equals) and one.name in {"id", "appId"} for one in wanted):
        found = (_index(tenant, kind, one) for one in wanted if isinstance(one, Equals))
        return sorted({index for index in found if index is not None})
    body = tenant.bulk.application if kind is Kind.APPLICATION else tenant.bulk.principal
    return [index for index in range(tenant.size(kind)) if condition.matches(body(index))]


def _index(tenant: Tenant, kind: Kind, condition: Equals) -> int | None:
    if condition.name == "appId":
        return tenant.bulk.find_app_id(str(condition.value), tenant.size(kind))
    find = tenant.bulk.find_application if kind is Kind.APPLICATION else tenant.bulk.find_principal
    return find(str(condition.value))


def _expanded(request: Request) -> str:
    for option in ("$orderby", "$search"):
        if option in request.query_params:
            raise unsupported_query(f"'{option}' is not supported here.")
    relation = request.query_params.get("$expand", "").split("(")[0]
    if relation and relation not in RELATIONS:
        raise unsupported_query(f"'$expand={relation}' is not supported here.")
    return relation


def directory_reads() -> list[tuple[str, str, Read]]:
    """Routes that read the directory."""
    reads: list[tuple[str, str, Any]] = [
        ("GET", "/applications/{id}/federatedIdentityCredentials", list_federated),
        ("GET", "/directoryObjects/{id}", read_directory_object),
        ("POST", "/directoryObjects/getByIds", get_by_ids),
    ]
    for relation in ("members", "transitiveMembers"):
        reads += [
            ("GET", f"/groups/{{id}}/{relation}", list_members),
            ("GET", f"/groups/{{id}}/{relation}/$count", count_members),
        ]
    for kind in KINDS:
        name = COLLECTIONS[kind]
        reads += [
            ("GET", f"/{name}", partial(list_objects, kind=kind)),
            ("GET", f"/{name}/$count", partial(count_objects, kind=kind)),
            ("GET", f"/{name}(appId='{{app_id}}')", partial(read_by_app_id, kind=kind)),
        ]
        reads += [("GET", f"/{name}/{{id}}/{one}", partial(list_related, kind=kind, relation=one)) for one in RELATIONS]
    for derived, kind in KIND_OF_TYPE.items():
        if kind in KINDS and derived != kind:
            cast = f"microsoft.graph.{derived}"
            reads.append(("GET", f"/{COLLECTIONS[kind]}/{cast}", partial(list_objects, kind=kind, type_name=derived)))
            reads += [
                ("GET", f"/{COLLECTIONS[kind]}/{{id}}/{cast}/{one}", partial(list_related, kind=kind, relation=one))
                for one in RELATIONS
            ]
    return [*reads, *(("GET", f"/{COLLECTIONS[kind]}/{{id}}", partial(read_object, kind=kind)) for kind in Kind)]
