"""What a person can do on the page, each by its route; an action may answer a sentence for the page."""

from collections.abc import Awaitable, Callable, Mapping

from sandbox.door.door import Door
from sandbox.door.events import Json
from sandbox.door.page import DELAY_MS, GATEWAY_LATENCY_MS, SLOW_MS

Action = Callable[[Door, Mapping[str, str], Json], Awaitable[str | None]]
GRAPH_SWITCHES = {"lose": ("drop", 1, 0), "delay": ("delayMs", DELAY_MS, 0), "slow": ("latencyMs", SLOW_MS, 0)}
GATEWAY_SWITCHES = {"down": ("down", True, False), "latency": ("latencyMs", GATEWAY_LATENCY_MS, 0)}


class UnknownError(Exception):
    """The page asked for something that is not there; the text is for the page."""


async def disable(door: Door, path: Mapping[str, str], _: Json) -> None:
    await door.entra.set_enabled(await _principal(door, path), enabled=False)


async def enable(door: Door, path: Mapping[str, str], _: Json) -> None:
    await door.entra.set_enabled(await _principal(door, path), enabled=True)


async def delete(door: Door, path: Mapping[str, str], _: Json) -> None:
    await door.entra.delete(await _principal(door, path))


async def restore(door: Door, path: Mapping[str, str], _: Json) -> None:
    await door.entra.restore(await _principal(door, path))


async def add_member(door: Door, path: Mapping[str, str], _: Json) -> None:
    await door.entra.add_member(await _group(door, path), (await _principal(door, path))["id"])


async def remove_member(door: Door, path: Mapping[str, str], _: Json) -> None:
    await door.entra.remove_member(await _group(door, path), (await _principal(door, path))["id"])


async def open_session(door: Door, _: Mapping[str, str], body: Json) -> None:
    subject, connection = body.get("subject"), body.get("connection")
    if not isinstance(subject, str) or not isinstance(connection, str):
        raise UnknownError("A session needs a subject and a connection.")
    await (await door.gateway()).open_session(subject, connection)


async def ask(door: Door, _: Mapping[str, str], body: Json) -> str:
    subject, connection, script = body.get("subject"), body.get("connection"), body.get("script", "")
    if not all(isinstance(one, str) for one in (subject, connection, script)):
        raise UnknownError("A request needs a subject and a connection.")
    return await (await door.gateway()).ask(str(subject), str(connection), str(script).strip())


async def make_report(door: Door, _: Mapping[str, str], __: Json) -> None:
    await door.report.make()


async def set_graph_switch(door: Door, path: Mapping[str, str], body: Json) -> None:
    await door.entra.set_switches(_switch(GRAPH_SWITCHES, path, body))


async def set_gateway_switch(door: Door, path: Mapping[str, str], body: Json) -> None:
    await (await door.gateway()).set_switches(_switch(GATEWAY_SWITCHES, path, body))


async def _principal(door: Door, path: Mapping[str, str]) -> Json:
    found = await door.find(path["id"])
    if found is None:
        raise UnknownError("Entra has nobody with this id.")
    return found


async def _group(door: Door, path: Mapping[str, str]) -> str:
    found = await door.find(path["group_id"])
    if found is None or "members" not in found:
        raise UnknownError("Entra has no group with this id.")
    return str(found["id"])


def _switch(switches: Mapping[str, tuple[str, object, object]], path: Mapping[str, str], body: Json) -> Json:
    if path["name"] not in switches or not isinstance(body.get("on"), bool):
        raise UnknownError("There is no such switch.")
    name, on, off = switches[path["name"]]
    return {name: on if body["on"] else off}


ACTIONS: dict[str, Action] = {
    "/api/principals/{id}/disable": disable,
    "/api/principals/{id}/enable": enable,
    "/api/principals/{id}/delete": delete,
    "/api/principals/{id}/restore": restore,
    "/api/groups/{group_id}/members/{id}/add": add_member,
    "/api/groups/{group_id}/members/{id}/remove": remove_member,
    "/api/sessions": open_session,
    "/api/reviews": ask,
    "/api/reports": make_report,
    "/api/switches/graph/{name}": set_graph_switch,
    "/api/switches/gateway/{name}": set_gateway_switch,
}
