"""The functions an app registers, read through the public azure-functions package."""

import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func

from sandbox.host.errors import AppError
from sandbox.host.settings import resolve

TRIGGERS = ("httpTrigger", "timerTrigger", "serviceBusTrigger")


@dataclass(frozen=True, slots=True)
class HostedFunction:
    """One function of the app: its trigger with every `%SETTING%` resolved, and the code to call."""

    name: str
    trigger: dict[str, Any]
    bindings: list[dict[str, Any]]
    code: Callable[..., Any]
    is_async: bool

    @property
    def kind(self) -> str:
        return str(self.trigger["type"])

    @property
    def argument(self) -> str:
        return str(self.trigger["name"])


def load_app(app_root: Path) -> list[HostedFunction]:
    """The functions of `function_app.app`; raises `AppError` for what Azure would refuse, or this host cannot serve."""
    if not (app_root / "function_app.py").is_file():
        raise AppError(f"{app_root} holds no function_app.py")
    os.chdir(app_root)
    sys.path.insert(0, str(app_root))
    app = getattr(importlib.import_module("function_app"), "app", None)
    if not isinstance(app, func.FunctionApp):
        raise AppError("function_app.py has no `app = func.FunctionApp()`")
    return [_hosted(function) for function in app.get_functions()]


def _hosted(function: func.Function) -> HostedFunction:
    name = str(function.get_function_name())
    bindings = json.loads(function.get_function_json())["bindings"]
    triggers = [binding for binding in bindings if binding["type"] in TRIGGERS]
    others = {binding["type"] for binding in bindings if binding not in triggers} - {"http"}
    if others or len(triggers) != 1:
        raise AppError(f"{name}: this host serves one of {', '.join(TRIGGERS)}, and no {', '.join(others) or 'other'}")
    code = function.get_user_function()
    parameters = set(inspect.signature(code).parameters)
    if parameters != {triggers[0]["name"]}:
        raise AppError(f"{name} takes {sorted(parameters)}, but its trigger gives only {triggers[0]['name']!r}")
    return HostedFunction(
        name=name,
        trigger={key: resolve(value) if isinstance(value, str) else value for key, value in triggers[0].items()},
        bindings=bindings,
        code=code,
        is_async=inspect.iscoroutinefunction(code),
    )
