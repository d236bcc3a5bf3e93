"""What the code needs from the infrastructure, as the code itself says."""

import ast
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func

from functions import gateway, graph, reports, schedules, teams, work
from shared.adapters import azure_storage
from shared.handlers.sweep_directory import RESOURCES
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
SWEPT = len(RESOURCES)
CONTAINERS = set(azure_storage.CONTAINERS)
TABLES = set(azure_storage.TABLES)


def settings() -> set[str]:
    """Every setting that is read, and every one that the example shows."""
    example = json.loads((ROOT / "local.settings.example.json").read_text(encoding="utf-8"))["Values"]
    return {str(field.alias) for field in Settings.model_fields.values()} | set(example)


def queues() -> dict[str, dict[str, Any]]:
    """The sandbox's queues, by name."""
    listed = json.loads((ROOT / "sandbox" / "queues.json").read_text(encoding="utf-8"))["queues"]
    return {queue["name"]: queue for queue in listed}


@functools.cache
def bindings() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Every binding of every function, with the function's name."""
    app = func.FunctionApp()
    for one in (gateway, graph, reports, schedules, teams, work):
        app.register_functions(one.blueprint)
    return tuple(
        (str(one.get_function_name()), binding.get_dict_repr())
        for one in app.get_functions()
        for binding in one.get_bindings()
    )


def triggering_queues() -> set[str]:
    """The queues that wake the app."""
    return {binding["queueName"] for _, binding in bindings() if binding["type"] == "serviceBusTrigger"}


def open_doors() -> set[str]:
    """The addresses to which other services post, with proofs of their own."""
    http = [binding for _, binding in bindings() if binding["type"] == "httpTrigger"]
    return {f"/api/{one['route']}" for one in http if _level(one) == "ANONYMOUS" and _methods(one) == {"POST"}}


def _level(binding: dict[str, Any]) -> str:
    return str(getattr(binding["authLevel"], "name", binding["authLevel"])).upper()


def _methods(binding: dict[str, Any]) -> set[str]:
    return {str(getattr(method, "name", method)) for method in binding["methods"]}


@functools.cache
def said(method: str) -> frozenset[str]:
    """The first argument of every call of a method (`raise_alert`, `measure`, `_tick`), where it is written out."""
    return frozenset(word for path in _sources() for word in _first_arguments(path, method))


def _sources() -> Iterator[Path]:
    for folder in ("functions", "shared"):
        yield from (ROOT / folder).rglob("*.py")


def _first_arguments(path: Path, method: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and _called(node.func) == method:
            first = node.args[0]
            first = first.values[0] if isinstance(first, ast.JoinedStr) else first
            if isinstance(first, ast.Constant):
                yield str(first.value)


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
