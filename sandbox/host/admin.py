"""The host's own pages below /admin: its state, its functions, and running one of them now."""

import json
from http import HTTPStatus
from typing import Any

from sandbox.host.app import HostedFunction
from sandbox.host.invocation import Invocations
from sandbox.host.messages import message_from_text
from sandbox.host.timers import timer_request


class Admin:
    """Answers for /admin, as Azure's host does: status, the list of functions, and a run on demand."""

    def __init__(self, functions: list[HostedFunction], invocations: Invocations) -> None:
        self._functions = {function.name: function for function in functions}
        self._invocations = invocations
        self.state = "Initialized"

    def status(self) -> dict[str, object]:
        """The host's state: Initialized, Running once everything is attached, or Stopping."""
        return {"state": self.state, "version": "4.0-sandbox", "functions": len(self._functions)}

    def functions(self) -> list[dict[str, Any]]:
        """Every function's name and bindings, as the app declares them."""
        return [{"name": function.name, "bindings": function.bindings} for function in self._functions.values()]

    def run(self, method: str, name: str, body: bytes) -> HTTPStatus:
        """Starts a timer or queue function with `{"input": text}`; 202 before it has finished."""
        function = self._functions.get(name)
        if function is None:
            return HTTPStatus.NOT_FOUND
        if method != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED
        try:
            given = str(json.loads(body or b"{}").get("input", ""))
        except (ValueError, AttributeError):
            return HTTPStatus.BAD_REQUEST
        if function.kind == "httpTrigger":
            return HTTPStatus.BAD_REQUEST
        argument = timer_request(past_due=False) if function.kind == "timerTrigger" else message_from_text(given)
        self._invocations.start(self._invocations.run(function, argument))
        return HTTPStatus.ACCEPTED
