"""Writes of an admin: create, update, delete, restore, and memberships."""

import uuid
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.graph import administration
from sandbox.graph.access import Caller
from sandbox.graph.audit import application
from sandbox.graph.bodies import bound_ids, id_of_reference, json_object, property_values
from sandbox.graph.clock import graph_date
from sandbox.graph.directory import ObjectVersion
from sandbox.graph.errors import bad_request, not_found
from sandbox.graph.odata import render
from sandbox.graph.routing import Row
from sandbox.graph.schema import ALL_PROPERTIES, COLLECTIONS, KIND_OF_TYPE, MEMBER_KINDS, RELATIONS, Kind
from sandbox.graph.state import GraphState

_REQUIRED = {
    "user": ("displayName", "userPrincipalName"),
    "group": ("displayName",),
    "servicePrincipal": ("appId",),
    "agentIdentity": ("displayName", "agentIdentityBlueprintId"),
    "agentIdentityBlueprintPrincipal": ("appId",),
    "application": ("displayName",),
}
_UNIQUE = {Kind.USER: "userPrincipalName", Kind.APPLICATION: "appId", Kind.SERVICE_PRINCIPAL: "appId"}


async def create_object(
    request: Request, state: GraphState, caller: Caller, *, kind: Kind, type_name: str | None = None
) -> Response:
    body = await json_object(request)
    name = type_name or _type_name(body, kind)
    values = _initial_values(state, property_values(body, name), kind, name)
    relations = {relation: _bound(state, body, relation) for relation in ("members", *RELATIONS)}
    made = administration.create(state, kind, name, values)
    for relation in RELATIONS:
        state.directory.relations[made.id, relation] = [version.id for version in relations[relation]]
    for member in relations["members"]:
        _add_member(state, caller, made, member)
    return JSONResponse(render(made, [*values]), 201)


async def update_object(request: Request, state: GraphState, caller: Caller, *, kind: Kind) -> Response:
    version = _live(state, request.path_params["id"], kind)
    body = await json_object(request)
    changes = property_values(body, version.type_name)
    changes.pop("id", None)
    _check_unique(state, kind, changes, version.id)
    members = _bound(state, body, "members")
    administration.update(state, version, changes)
    _note_credentials(state, caller, version, changes)
    for member in members:
        _add_member(state, caller, version, member)
    return Response(status_code=204)


async def delete_object(request: Request, state: GraphState, _: Caller, *, kind: Kind) -> Response:
    administration.delete(state, _live(state, request.path_params["id"], kind))
    return Response(status_code=204)


async def add_member(request: Request, state: GraphState, caller: Caller) -> Response:
    group = _live(state, request.path_params["id"], Kind.GROUP)
    body = await json_object(request)
    _add_member(state, caller, group, _member(state, id_of_reference(body.get("@odata.id"))))
    return Response(status_code=204)


async def remove_member(request: Request, state: GraphState, caller: Caller) -> Response:
    group = _live(state, request.path_params["id"], Kind.GROUP)
    member_id = request.path_params["member_id"].lower()
    member = state.present().find(member_id)
    if not member or not state.directory.has_member(group.id, member_id):
        raise not_found(member_id)
    administration.remove_member(state, group, member)
    state.audit.note_member(application(caller.object_id), group, member, removed=True)
    return Response(status_code=204)


async def restore_object(request: Request, state: GraphState, _: Caller) -> Response:
    restored = administration.restore(state, _deleted(state, request.path_params["id"]))
    return JSONResponse(render(restored, typed=True))


async def purge_object(request: Request, state: GraphState, _: Caller) -> Response:
    administration.purge(state, _deleted(state, request.path_params["id"]))
    return Response(status_code=204)


def _add_member(state: GraphState, caller: Caller, group: ObjectVersion, member: ObjectVersion) -> None:
    administration.add_member(state, group, member)
    state.audit.note_member(application(caller.object_id), group, member)


def _note_credentials(state: GraphState, caller: Caller, before: ObjectVersion, changes: dict[str, Any]) -> None:
    for name in ("passwordCredentials", "keyCredentials"):
        old = before.values.get(name) or []
        if name in changes and changes[name] != old:
            state.audit.note_credentials(application(caller.object_id), before, old, changes[name] or [])


def _type_name(body: dict[str, Any], kind: Kind) -> str:
    name = str(body.get("@odata.type", kind)).removeprefix("#").rsplit(".", 1)[-1]
    by_lower_case = {known.lower(): known for known, base in KIND_OF_TYPE.items() if base is kind}
    if name.lower() not in by_lower_case:
        raise bad_request(f"Type '{name}' cannot be created here.")
    return by_lower_case[name.lower()]


def _initial_values(state: GraphState, given: dict[str, Any], kind: Kind, type_name: str) -> dict[str, Any]:
    for name in _REQUIRED.get(type_name, _REQUIRED.get(kind, ())):
        if not given.get(name):
            raise bad_request(f"A value is required for property '{name}' of resource '{type_name}'.")
    identifier = str(given.get("id") or uuid.uuid4()).lower()
    if state.directory.latest(identifier):
        raise bad_request(f"Another object with the same value for property id already exists: '{identifier}'.")
    _check_unique(state, kind, given, identifier)
    values = _derived_values(state, kind, type_name, identifier, given) | given | {"id": identifier}
    if "createdDateTime" in ALL_PROPERTIES[type_name]:
        values.setdefault("createdDateTime", graph_date(state.clock()))
    return values


def _derived_values(
    state: GraphState, kind: Kind, type_name: str, identifier: str, given: dict[str, Any]
) -> dict[str, Any]:
    if kind is Kind.USER:
        addresses = [f"SMTP:{given['mail']}"] if given.get("mail") else []
        return {"accountEnabled": True, "userType": "Member", "proxyAddresses": addresses}
    if kind is Kind.GROUP:
        return {"securityEnabled": True, "mailEnabled": False}
    if kind is Kind.APPLICATION:
        return {"appId": str(uuid.uuid4()), "signInAudience": "AzureADMyOrg"}
    if type_name == "agentIdentity":
        return {"appId": identifier, "accountEnabled": True, "servicePrincipalType": "ServiceIdentity"}
    application = state.present().find_by(Kind.APPLICATION, "appId", given["appId"])
    of_application = (
        {name: application.values.get(name) for name in ("displayName", "isDisabled", "disabledByMicrosoftStatus")}
        if application
        else {}
    )
    return {"accountEnabled": True, "servicePrincipalType": "Application"} | of_application


def _check_unique(state: GraphState, kind: Kind, values: dict[str, Any], own_id: str) -> None:
    name = _UNIQUE.get(kind)
    if not name or not values.get(name):
        return
    other = state.present().find_by(kind, name, values[name])
    if other and other.id != own_id:
        raise bad_request(f"Another object with the same value for property {name} already exists.")


def _bound(state: GraphState, body: dict[str, Any], relation: str) -> list[ObjectVersion]:
    return [_member(state, object_id) for object_id in bound_ids(body, relation)]


def _live(state: GraphState, object_id: str, kind: Kind) -> ObjectVersion:
    version = state.present().find(object_id.lower())
    if kind is Kind.USER and version is None:
        version = state.present().find_by(kind, "userPrincipalName", object_id)
    if version is None or version.kind is not kind:
        raise not_found(object_id)
    return version


def _member(state: GraphState, object_id: str) -> ObjectVersion:
    version = state.present().find(object_id)
    if version is None or version.kind not in MEMBER_KINDS:
        raise not_found(object_id)
    return version


def _deleted(state: GraphState, object_id: str) -> ObjectVersion:
    version = state.present().find_deleted(object_id.lower())
    if version is None:
        raise not_found(object_id)
    return version


def write_rows() -> list[Row]:
    """The admin's routes."""
    rows: list[Row] = []
    for kind, collection in COLLECTIONS.items():
        rows += [
            ("POST", f"/{collection}", partial(create_object, kind=kind)),
            ("PATCH", f"/{collection}/{{id}}", partial(update_object, kind=kind)),
            ("DELETE", f"/{collection}/{{id}}", partial(delete_object, kind=kind)),
        ]
    rows += [
        ("POST", f"/{COLLECTIONS[kind]}/microsoft.graph.{name}", partial(create_object, kind=kind, type_name=name))
        for name, kind in KIND_OF_TYPE.items()
        if name != kind
    ]
    return [
        *rows,
        ("POST", "/groups/{id}/members/$ref", add_member),
        ("DELETE", "/groups/{id}/members/{member_id}/$ref", remove_member),
        ("POST", "/directory/deletedItems/{id}/restore", restore_object),
        ("DELETE", "/directory/deletedItems/{id}", purge_object),
    ]
