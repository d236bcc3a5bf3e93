"""Request bodies: JSON objects, reference URLs, and property values that Graph would accept."""

import json
from typing import Any

from starlette.requests import Request

from sandbox.graph.errors import GraphError, bad_request
from sandbox.graph.schema import ALL_PROPERTIES, BOOLEANS, NEVER_NULL, RELATIONS


async def json_object(request: Request) -> dict[str, Any]:
    """The request's JSON object; raises Graph's 400 for anything else."""
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.") from error
    if not isinstance(body, dict):
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload: an object is expected.")
    return body


def id_of_reference(url: object) -> str:
    """The object id at the end of an `@odata.id` URL."""
    if not isinstance(url, str) or "/" not in url:
        raise bad_request("Invalid object reference: '@odata.id' must be the URL of a directory object.")
    return url.rstrip("/").rsplit("/", 1)[-1].lower()


def bound_ids(body: dict[str, Any], relation: str) -> list[str]:
    """The object ids that `<relation>@odata.bind` names."""
    urls = body.get(f"{relation}@odata.bind", [])
    if not isinstance(urls, list):
        raise bad_request(f"'{relation}@odata.bind' must be a list of URLs.")
    return [id_of_reference(url) for url in urls]


def property_values(body: dict[str, Any], type_name: str) -> dict[str, Any]:
    """The properties that a body sets; raises Graph's 400 for names and values that the type does not have."""
    bindings = {f"{relation}@odata.bind" for relation in ("members", *RELATIONS)}
    values = {name: value for name, value in body.items() if name not in bindings and name != "@odata.type"}
    # Graph never shows a password again; nothing here needs one.
    values.pop("passwordProfile", None)
    known = ALL_PROPERTIES[type_name]
    for name, value in values.items():
        if name not in known:
            raise bad_request(f"Invalid property '{name}' on type 'microsoft.graph.{type_name}'.")
        if not _acceptable(name, value):
            raise bad_request(f"Invalid value specified for property '{name}' of resource '{type_name}'.")
    return values


def _acceptable(name: str, value: object) -> bool:
    if value is None:
        return name not in NEVER_NULL
    if name in BOOLEANS:
        return isinstance(value, bool)
    return not (name.endswith(("Name", "mail", "Id")) and not isinstance(value, str))
