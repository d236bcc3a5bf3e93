"""Calls of the app's functions, as the Functions worker makes them."""

import json
from typing import cast

import azure.functions as func
from azure.functions.decorators.function_app import FunctionBuilder


async def request(
    function: FunctionBuilder,
    body: bytes = b"",
    *,
    params: dict[str, str] | None = None,
    route: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> func.HttpResponse:
    """What an HTTP function answers."""
    url = "https://tether.example/api"
    asked = func.HttpRequest(
        method="POST", url=url, body=body, params=params or {}, route_params=route or {}, headers=headers or {}
    )
    return cast("func.HttpResponse", await function(asked))


async def notify(function: FunctionBuilder, *items: object) -> func.HttpResponse:
    """What the function answers to a delivery of these notifications."""
    return await request(function, json.dumps({"value": items}).encode())


async def deliver(function: FunctionBuilder, body: bytes) -> None:
    """Hand a queue function one message; to return is to complete it."""
    await function(Delivered(body))


async def tick(function: FunctionBuilder) -> None:
    """Wake a timer function."""
    await function(None)


class Delivered:
    """A Service Bus message, as far as the app looks at it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def get_body(self) -> bytes:
        return self._body
