"""JSON batching: up to 20 requests in one, each judged alone."""

import asyncio
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.graph.access import Caller
from sandbox.graph.bodies import json_object
from sandbox.graph.errors import GraphError
from sandbox.graph.routing import Row
from sandbox.graph.state import GraphState

LARGEST_BATCH = 20
_PASSED_ON = ("authorization", "client-request-id", "consistencylevel", "prefer")


async def run_batch(request: Request, _: GraphState, __: Caller) -> Response:
    items = _checked((await json_object(request)).get("requests"))
    running: dict[str, asyncio.Task[dict[str, Any]]] = {}
    transport = httpx.ASGITransport(app=request.app)
    async with httpx.AsyncClient(transport=transport, base_url=str(request.base_url)) as client:
        for item in items:
            needed = [running[str(one)] for one in item.get("dependsOn", ())]
            running[str(item["id"])] = asyncio.create_task(_run(client, request, item, needed))
        answers = await asyncio.gather(*running.values())
    return JSONResponse({"responses": answers})


async def _run(
    client: httpx.AsyncClient, request: Request, item: dict[str, Any], needed: list[asyncio.Task[dict[str, Any]]]
) -> dict[str, Any]:
    before = [await task for task in needed]
    if any(answer["status"] >= 400 for answer in before):
        error = {"code": "FailedDependency", "message": "A request that this one depends on failed."}
        return {"id": item["id"], "status": 424, "headers": {}, "body": {"error": error}}
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    headers |= {str(name): str(value) for name, value in (item.get("headers") or {}).items()}
    version = request.url.path.split("/")[1]
    url = f"{version}/" + str(item["url"]).lstrip("/").removeprefix(f"{version}/")
    answer = await client.request(str(item["method"]).upper(), url, headers=headers, json=item.get("body"))
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    body = {"body": answer.json() if is_json else answer.text} if answer.content else {}
    return {"id": item["id"], "status": answer.status_code, "headers": dict(answer.headers)} | body


def _checked(items: object) -> list[dict[str, Any]]:
    if not isinstance(items, list) or not items:
        raise _invalid("'requests' must be a list of requests.")
    if len(items) > LARGEST_BATCH:
        raise _invalid(f"Number of batch request steps exceeds the maximum value of {LARGEST_BATCH}.")
    seen: set[str] = set()
    for item in items:
        if not isinstance(item, dict) or not {"id", "method", "url"} <= item.keys() or str(item["id"]) in seen:
            raise _invalid("Each request needs an id of its own, a method and a url.")
        if not {str(one) for one in item.get("dependsOn", ())} <= seen:
            raise _invalid("'dependsOn' must name earlier requests.")
        seen.add(str(item["id"]))
    return items


def _invalid(message: str) -> GraphError:
    return GraphError(400, "BadRequest", f"Invalid batch payload format: {message}")


def batch_rows() -> list[Row]:
    """The batch route."""
    return [("POST", "/$batch", run_batch)]
