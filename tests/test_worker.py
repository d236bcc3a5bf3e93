"""Microsoft's own worker finds every function of the app, and invokes them as Azure will."""

import sys
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.worker.harness import InvocationError, Worker, index

ROOT = Path(__file__).parents[1]
APPS = ROOT / "tests" / "sandbox" / "apps"

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 13), reason="Microsoft's worker library needs Python 3.13, which Azure runs"
)


@pytest.fixture
async def small_app(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Worker]:
    monkeypatch.setenv("GREETING", "hello")
    yield await index(APPS / "small")
    sys.modules.pop("function_app", None)


@pytest.fixture
async def real_app() -> Worker:
    if not (ROOT / "function_app.py").exists():
        pytest.skip("there is no function_app.py")
    return await index(ROOT)


async def test_worker_reports_why_an_app_cannot_be_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GREETING", raising=False)

    with pytest.raises(InvocationError, match="GREETING is not set"):
        await index(APPS / "small")


async def test_worker_invokes_functions_of_every_trigger(small_app: Worker) -> None:
    greeting = await small_app.http("greeting", "GET", "https://app.example/api/greeting?name=Ada")
    thing = await small_app.http("thing", "GET", "https://app.example/api/things/4", route={"id": "4"})
    await small_app.tick("tick")

    assert (greeting.status, greeting.headers["x-seen"], greeting.body) == (200, "Ada", b"hello")
    assert b'"id": "4"' in thing.body
    assert b'{"tick": false}' in (await small_app.http("what_was_seen", "GET", "https://app.example/api/seen")).body


async def test_worker_delivers_messages_with_their_delivery_count() -> None:
    worker = await index(APPS / "queues")

    with pytest.raises(InvocationError, match="this delivery fails"):
        await worker.deliver("work", b'{"name": "a", "fails": 1}', delivery_count=1)
    await worker.deliver("work", b'{"name": "a", "fails": 1}', delivery_count=2, properties={"attempt": 2})

    seen = (await worker.http("what_was_seen", "GET", "https://app.example/api/seen")).body
    assert seen.count(b'"work": "a"') == 2
    assert seen.count(b'"done": "a"') == 1
    assert b'{"attempt": 2}' in seen


async def test_worker_indexes_every_function_the_app_registers(real_app: Worker) -> None:
    registered = {function.get_function_name() for function in import_module("function_app").app.get_functions()}

    assert registered
    assert real_app.names == registered


async def test_worker_answers_graphs_validation_handshake_in_plain_text(real_app: Worker) -> None:
    name = next(name for name in real_app.names if real_app.trigger(name).get("route") == "graph/notifications")

    answer = await real_app.http(name, "POST", "https://app.example/api/graph/notifications?validationToken=a%20token")

    assert (answer.status, answer.body) == (200, b"a token")
    assert answer.headers["content-type"].startswith("text/plain")
