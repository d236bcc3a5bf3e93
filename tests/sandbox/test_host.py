"""The local host serves HTTP and timer functions as Azure's host does."""

import os
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.host.errors import AppError
from sandbox.host.settings import HostSettings, fill_environment, read_host_settings, seconds
from sandbox.host.timers import Schedule
from tests.sandbox.host_process import APPS, FUNCTION_KEY, ROOT, HostProcess, eventually, host_command, running_host


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    with running_host("small", GREETING="hello") as process:
        yield process


def test_function_answers_with_its_own_headers_and_azures_content_type(host: HostProcess) -> None:
    answer = host.http.get("/api/greeting?name=Ada")

    assert (answer.status_code, answer.text) == (200, "hello")
    assert answer.headers["x-seen"] == "Ada"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_methods_of_one_route_lead_to_their_own_functions_even_a_synchronous_one(host: HostProcess) -> None:
    answer = host.http.post("/api/greeting", content=b"\x00\xff", headers={"content-type": "application/x-bytes"})

    assert (answer.status_code, answer.content) == (201, b"\x00\xff")
    assert answer.headers["content-type"] == "application/x-bytes"


def test_head_is_answered_without_a_body_where_get_is_served(host: HostProcess) -> None:
    answer = host.http.head("/api/greeting")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "5"


def test_other_method_is_refused_and_told_which_are_served(host: HostProcess) -> None:
    answer = host.http.delete("/api/greeting")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/things/4", {"id": "4"}),
        ("/api/things/4/left%20leg?x=1", {"id": "4", "part": "left leg"}),
        ("/API/Things/4/", {"id": "4"}),
    ],
)
def test_route_parameters_reach_the_function(host: HostProcess, path: str, route: dict[str, str]) -> None:
    answer = host.http.get(path).json()

    assert answer["route"] == route
    assert answer["url"] == f"{host.http.base_url}{path}"


def test_literal_route_wins_over_a_parameter(host: HostProcess) -> None:
    assert host.http.get("/api/things/all").text == "all"


@pytest.mark.parametrize("path", ["/api/things/four", "/api/nothing", "/greeting", "/"])
def test_path_that_fits_no_route_is_not_found(host: HostProcess, path: str) -> None:
    assert host.http.get(path).status_code == 404


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 401),
        ("?code=guessed", {}, 401),
        ("", {"x-functions-key": "guessed"}, 401),
        (f"?code={FUNCTION_KEY}", {}, 200),
        ("", {"x-functions-key": FUNCTION_KEY}, 200),
    ],
)
def test_function_level_route_opens_only_with_the_function_key(
    host: HostProcess, query: str, headers: dict[str, str], status: int
) -> None:
    assert host.http.get(f"/api/locked{query}", headers=headers).status_code == status


def test_exception_is_answered_with_an_empty_500(host: HostProcess) -> None:
    answer = host.http.get("/api/broken")

    assert (answer.status_code, answer.content) == (500, b"")


def test_status_says_running_once_the_host_listens(host: HostProcess) -> None:
    assert host.http.get("/admin/host/status").json()["state"] == "Running"


def test_functions_are_listed_with_their_bindings_to_the_key_holder_only(host: HostProcess) -> None:
    refused = host.http.get("/admin/functions")
    listed = host.http.get("/admin/functions", headers={"x-functions-key": FUNCTION_KEY}).json()

    bindings = {function["name"]: function["bindings"] for function in listed}
    assert refused.status_code == 401
    assert bindings["tick"][0]["schedule"] == "* * * * * *"
    assert bindings["thing"][0]["route"] == "things/{id:int}/{part?}"


def test_timer_runs_on_startup_on_schedule_and_on_demand(host: HostProcess) -> None:
    answer = host.http.post("/admin/functions/yearly", headers={"x-functions-key": FUNCTION_KEY}, json={"input": "now"})

    assert answer.status_code == 202
    eventually(lambda: host.seen().count({"yearly": False}) == 2)
    eventually(lambda: host.seen().count({"tick": False}) >= 2)


def test_timer_that_a_setting_disables_runs_on_demand_only() -> None:
    with running_host("small", GREETING="hello", **{"AzureWebJobs.yearly.Disabled": "true"}) as host:
        eventually(lambda: host.seen().count({"tick": False}) >= 1)
        before = host.seen().count({"yearly": False})

        host.http.post("/admin/functions/yearly", headers={"x-functions-key": FUNCTION_KEY}, json={"input": "now"})

        eventually(lambda: host.seen().count({"yearly": False}) == 1)
    assert before == 0


@pytest.mark.parametrize(
    ("method", "name", "status"),
    [("POST", "unknown", 404), ("GET", "yearly", 405), ("POST", "greeting", 400)],
)
def test_run_on_demand_is_refused_when_it_makes_no_sense(
    host: HostProcess, method: str, name: str, status: int
) -> None:
    answer = host.http.request(method, f"/admin/functions/{name}", headers={"x-functions-key": FUNCTION_KEY})

    assert answer.status_code == status


def test_request_in_work_is_answered_before_a_terminated_host_exits_with_zero() -> None:
    with running_host("small", GREETING="hello") as host, ThreadPoolExecutor() as threads:
        answer = threads.submit(host.http.get, "/api/slow")
        eventually(lambda: {"slow": "started"} in host.seen())

        exit_code = host.stop()

        assert answer.result().text == "done"
        assert exit_code == 0


@pytest.mark.parametrize(
    ("app", "settings", "cause"),
    [
        ("small", {}, "LookupError: GREETING is not set"),
        ("nowhere", {}, "nowhere holds no function_app.py"),
        ("queues", {"ServiceBus": "Endpoint=sb://127.0.0.1"}, "%WORK_QUEUE% in a binding names an app setting"),
        ("queues", {"WORK_QUEUE": "work"}, "connection 'ServiceBus' needs the app setting ServiceBus"),
    ],
)
def test_host_exits_with_one_and_names_the_cause_when_the_app_cannot_start(
    tmp_path: Path, app: str, settings: dict[str, str], cause: str
) -> None:
    command = host_command(app)
    if app == "nowhere":
        (tmp_path / "nowhere").mkdir()
        (tmp_path / "nowhere" / "host.json").write_text('{"version": "2.0"}')
        command[-1] = str(tmp_path / "nowhere")

    ended = subprocess.run(
        command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, timeout=30, check=False
    )

    assert ended.returncode == 1
    assert cause in ended.stderr.splitlines()[-1]
    assert ended.stdout == ""


def test_host_exits_with_one_when_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        command = [*host_command("small"), "--port", str(other.getsockname()[1])]

        ended = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"GREETING": "hello"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert ended.returncode == 1
    assert "Address already in use" in ended.stderr.splitlines()[-1]


def test_host_json_is_read_with_durations_in_seconds() -> None:
    assert read_host_settings(APPS / "queues") == HostSettings(
        route_prefix="api",
        function_timeout=300,
        prefetch_count=8,
        max_concurrent_calls=4,
        auto_complete_messages=True,
        max_lock_renewal=300,
    )


@pytest.mark.parametrize(("duration", "length"), [("00:00:01.5", 1.5), ("1.00:00:10", 86_410), ("-1", float("inf"))])
def test_duration_is_a_dotnet_time_span(duration: str, length: float) -> None:
    assert seconds(duration) == length


def test_local_settings_fill_only_what_is_unset(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text('{"Values": {"GREETING": "file", "NUMBER": 7}}')
    environment = {"GREETING": "environment"}

    fill_environment(tmp_path, environment)

    assert environment == {"GREETING": "environment", "NUMBER": "7"}


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("*/10 * * * * *", "12:00:10"),
        ("5 */30 * * * *", "12:00:05"),
        ("0 */30 * * * *", "12:30:00"),
        ("*/15 * * * *", "12:15:00"),
    ],
)
def test_schedule_starts_with_the_seconds_and_may_leave_them_out(expression: str, following: str) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)

    assert Schedule(expression).after(noon).strftime("%H:%M:%S") == following


@pytest.mark.parametrize("expression", ["every minute", "61 * * * * *", ""])
def test_schedule_that_is_no_ncrontab_is_refused(expression: str) -> None:
    with pytest.raises(AppError, match="not an NCRONTAB schedule"):
        Schedule(expression)
