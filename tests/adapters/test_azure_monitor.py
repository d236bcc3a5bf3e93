"""Metrics reach Application Insights: counted before and after the exporter is there, signed in, and all of them."""

import gzip
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme

ROOT = Path(__file__).parents[2]
KEY = "00000000-0000-4000-8000-000000000001"
APP = """
from shared.adapters.telemetry import Telemetry
telemetry = Telemetry()
from shared.adapters.azure_monitor import export_metrics
stop = export_metrics({connection_string!r})
telemetry.raise_alert("subscription-missing", resource="users")
telemetry.measure("change-to-revocation", 0.25, source="notification")
stop()
"""


@dataclass
class Received:
    """What an ingestion endpoint was sent, and who asked it to take it."""

    envelopes: list[dict[str, Any]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)

    def metric(self, name: str) -> tuple[float, dict[str, str]]:
        """Value and properties of the one point of this metric."""
        data = [envelope["data"]["baseData"] for envelope in self.envelopes]
        (point,) = [one for one in data if one["metrics"][0]["name"] == name]
        return point["metrics"][0]["value"], point["properties"]


@dataclass
class Ingestion:
    """A TLS endpoint with a managed identity beside it."""

    received: Received
    url: str
    authority: Path


@pytest.fixture
def ingestion(tmp_path: Path) -> Iterator[Ingestion]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            envelopes = [json.loads(line) for line in body.splitlines()] if body[:1] != b"[" else json.loads(body)
            received.envelopes += envelopes
            received.authorizations.append(self.headers.get("Authorization"))
            self._answer({"itemsReceived": len(envelopes), "itemsAccepted": len(envelopes), "errors": []})

        def do_GET(self) -> None:
            self._answer({"access_token": "the-token", "expires_on": "4102444800", "token_type": "Bearer"})

        def _answer(self, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield Ingestion(received, f"https://127.0.0.1:{server.server_port}", tmp_path / "ca.pem")
        server.shutdown()


def run(ingestion: Ingestion, **environment: str) -> None:
    connection_string = f"InstrumentationKey={KEY};IngestionEndpoint={ingestion.url}/"
    command = [sys.executable, "-c", APP.format(connection_string=connection_string)]
    around = {**os.environ, "REQUESTS_CA_BUNDLE": str(ingestion.authority), **environment}
    subprocess.run(command, cwd=ROOT, env=around, check=True, timeout=60)


def test_alerts_and_durations_arrive_under_their_names(ingestion: Ingestion) -> None:
    run(ingestion)

    value, properties = ingestion.received.metric("tether.alerts")
    assert (value, properties) == (1.0, {"reason": "subscription-missing"})
    value, properties = ingestion.received.metric("tether.duration")
    assert (value, properties) == (0.25, {"name": "change-to-revocation", "source": "notification"})
    assert set(ingestion.received.authorizations) == {None}


def test_exporter_signs_in_with_the_managed_identity_where_the_platform_says_so(ingestion: Ingestion) -> None:
    run(
        ingestion,
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING=f"Authorization=AAD;ClientId={KEY}",
        IDENTITY_ENDPOINT=f"{ingestion.url}/msi/token",
        IDENTITY_HEADER="a-header",
    )

    assert set(ingestion.received.authorizations) == {"Bearer the-token"}
    assert ingestion.received.metric("tether.alerts")[0] == 1.0
