"""Microsoft's own Python worker, driven in this process: it indexes an app and invokes its functions as in Azure."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4


class Message:
    """Any protobuf message, in one respect: it keeps the fields it was made with."""

    Failure, Success = 0, 1

    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)


class BindingInfo(Message):
    """The one message whose enum values the worker compares with those of the Functions package."""

    out, inout = 1, 2
    undefined = 0


class Protos:
    """Stands in for the generated protobuf module."""

    BindingInfo = BindingInfo

    def __getattr__(self, name: str) -> type[Message]:
        return Message


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What an HTTP function answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class InvocationError(Exception):
    """The function raised; the message is the worker's traceback."""


class Worker:
    """The worker after it has indexed one app; one app at a time, because it keeps its registry in a module."""

    def __init__(self, metadata: list[Any]) -> None:
        self._metadata = {function.name: function for function in metadata}

    @property
    def names(self) -> set[str]:
        return set(self._metadata)

    async def http(
        self,
        name: str,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        route: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        request = {
            "method": _string(method),
            "url": _string(url),
            "headers": {key.lower(): _string(value) for key, value in (headers or {}).items()},
            "query": {key: _string(value) for key, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)},
            "params": {key: _string(value) for key, value in (route or {}).items()},
            "body": _datum(body, "bytes"),
        }
        answer = await self._invoke(name, _datum(request, "http"), {})
        if answer.type == "string":
            return HttpAnswer(200, {}, answer.value.encode())
        return HttpAnswer(
            int(answer.value["status_code"].value),
            {key.lower(): value.value for key, value in answer.value["headers"].items()},
            answer.value["body"].value,
        )

    async def deliver(
        self,
        name: str,
        body: bytes,
        *,
        message_id: str | None = None,
        delivery_count: int = 1,
        properties: Mapping[str, object] | None = None,
    ) -> None:
        metadata = {
            "MessageId": _string(message_id or str(uuid4())),
            "DeliveryCount": _json(delivery_count),
            "ApplicationProperties": _json(properties or {}),
            "UserProperties": _json(properties or {}),
        }
        await self._invoke(name, _datum(body, "bytes"), metadata)

    async def tick(self, name: str, *, past_due: bool = False) -> None:
        await self._invoke(name, _json({"IsPastDue": past_due, "ScheduleStatus": {}, "Schedule": {}}), {})

    def trigger(self, name: str) -> dict[str, Any]:
        bindings = [json.loads(raw) for raw in self._metadata[name].raw_bindings]
        return next(binding for binding in bindings if binding["type"].endswith("Trigger"))

    async def _invoke(self, name: str, argument: object, metadata: dict[str, object]) -> Any:  # noqa: ANN401
        native = import_module("azure_functions_runtime.native_invocation")
        inputs = [(self.trigger(name)["name"], argument)]
        ok, returned, _, error, trace = await native.invocation_request_native(
            str(uuid4()), self._metadata[name].function_id, inputs, metadata
        )
        if not ok:
            raise InvocationError(f"{error}\n{trace}")
        return returned


async def index(app_root: Path) -> Worker:
    """The worker with `function_app.py` of `app_root` indexed; raises `InvocationError` with what it refuses."""
    runtime = import_module("azure_functions_runtime")
    registry = import_module("azure_functions_runtime.handle_event")._functions
    registry._functions.clear()
    sys.modules.pop("function_app", None)
    sys.path.insert(0, str(app_root))
    try:
        started = await runtime.worker_init_request(_request(capabilities={}, function_app_directory=str(app_root)))
    finally:
        sys.path.remove(str(app_root))
    if started.result.status != Message.Success:
        raise InvocationError(started.result.exception.message + "\n" + started.result.exception.stack_trace)
    runtime.start_threadpool_executor()
    listed = await runtime.functions_metadata_request(_request())
    return Worker(listed.function_metadata_results or [])


def _request(**fields: object) -> SimpleNamespace:
    return SimpleNamespace(
        request=SimpleNamespace(worker_init_request=SimpleNamespace(**fields)),
        properties={"protos": Protos(), "host": "127.0.0.1"},
    )


def _datum(value: object, kind: str) -> object:
    return import_module("azure_functions_runtime.bindings.datumdef").Datum(value, kind)


def _string(value: str) -> object:
    return _datum(value, "string")


def _json(value: object) -> object:
    return _datum(json.dumps(value), "json")
