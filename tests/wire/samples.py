"""Whole payloads of the vendors, and the keys under which the notifications among them are authentic."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from shared.domain.client_state import ClientStateKeys
from shared.wire.graph_notifications import Delivery, Notifications, parse_notifications
from tests.domain.samples import NOW

FIXTURES = Path(__file__).parents[1] / "fixtures"
TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
KEYS = ClientStateKeys(TENANT, (b"a made-up key for tests, 32 bytes",))


def fixture_text(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def fixture(name: str) -> Any:  # noqa: ANN401 - as the vendor sends it
    return json.loads(fixture_text(name))


def item(name: str, **changes: object) -> dict[str, Any]:
    """The one notification of a fixture, with some fields changed."""
    (only,) = deepcopy(fixture(name)["value"])
    return {**only, **changes}


def parse(*items: object) -> Notifications:
    return parse_body(json.dumps({"value": items}).encode())


def parse_body(body: bytes) -> Notifications:
    return parse_notifications(Delivery(body, NOW, "c-1"), KEYS)
