"""Microsoft's agents playground as a process: Teams with one team, one channel, and the people of the sandbox."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import cast
from sandbox.supervisor.prerequisites import find_node
from sandbox.supervisor.process import end_with_parent
from sandbox.teams.ids import BOT_ID, chat_id, mri
from sandbox.teams.world import APPROVALS_CHANNEL, BOT_NAME, CHANNELS, TEAM_GROUP_ID, TEAM_ID, TEAM_NAME
from sandbox.tenant import HOST, TENANT_ID

HERE = Path(__file__).parent
PROGRAM = HERE / "node_modules" / "@microsoft" / "m365agentsplayground" / "cli.js"
READY_SECONDS = 60
GRACE_SECONDS = 10
_GROUP_CHAT = "19:a11a00000000000000000000000000ff@thread.v2"
# It wants exactly five people beside the one who looks at it.
_EXTRAS = (
    cast.Person(cast.object_id(0x2F1), "Katherine Johnson", "katherine@contoso.example", ()),
    cast.Person(cast.object_id(0x2F2), "Radia Perlman", "radia@contoso.example", ()),
)


@dataclass(frozen=True, slots=True)
class Playground:
    """A running playground; its output is a file."""

    url: str
    pid: int
    output: Path


@contextmanager
def running_playground(viewer: cast.Person, bot_endpoint: str, service_url: str, folder: Path) -> Iterator[Playground]:
    """Teams as `viewer` sees it, talking to this endpoint; what it writes lies in `folder`."""
    settings = folder / "playground.json"
    settings.write_text(json.dumps(_configuration(viewer), indent=2))
    addresses = ("--app-endpoint", bot_endpoint, "--service-url", service_url, "--port", "0")
    command = (find_node(), "--require", str(HERE / "loopback.cjs"), str(PROGRAM), "start", *addresses)
    output = folder / "playground.out"
    with output.open("wb") as log:
        process = subprocess.Popen(
            (*command, "--channel-id", "msteams", "--disable-telemetry"),
            cwd=folder,
            env=_environment(folder, settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=end_with_parent(os.getpid(), signal.SIGKILL),  # noqa: PLW1509 - one system call, no lock
        )
    try:
        yield Playground(f"http://{HOST}:{_port(process, output)}", process.pid, output)
    finally:
        _end(process)


def _port(process: subprocess.Popen[bytes], output: Path) -> str:
    give_up_at = time.monotonic() + READY_SECONDS
    while time.monotonic() < give_up_at and process.poll() is None:
        for line in output.read_text().splitlines():
            words = line.split()
            if words[:2] == ["Listening", "on"]:
                return words[2]
        time.sleep(0.05)
    raise RuntimeError(f"the playground does not listen: {output.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment(folder: Path, settings: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "M365_AGENTS_PLAYGROUND_CONFIG_PATH": str(settings),
        "M365_AGENTS_PLAYGROUND_LOGFILE": str(folder / "playground.log"),
        "TEAMSAPPTESTER_BROWSER": "none",
        "APPLICATION_INSIGHTS_NO_STATSBEAT": "1",
    }


def _configuration(viewer: cast.Person) -> dict[str, Any]:
    """Its own configuration file, version 0.1.1; JSON is the YAML that it reads."""
    others = [person for person in (*cast.PEOPLE, *_EXTRAS) if person != viewer]
    channel = {"id": APPROVALS_CHANNEL, "name": CHANNELS[APPROVALS_CHANNEL]}
    return {
        "version": "0.1.1",
        "tenantId": TENANT_ID,
        "bot": {"id": BOT_ID, "name": BOT_NAME},
        "currentUser": _user(viewer),
        "users": [_user(person) for person in others],
        "personalChat": {"id": chat_id(viewer.id)},
        "groupChat": {"id": _GROUP_CHAT, "name": "Group chat"},
        "team": {"id": TEAM_ID, "name": TEAM_NAME, "aadGroupId": TEAM_GROUP_ID, "channels": [channel]},
    }


def _user(person: cast.Person) -> dict[str, str]:
    given, _, surname = person.name.partition(" ")
    return {
        "id": mri(person.id),
        "name": person.name,
        "userPrincipleName": person.email,
        "aadObjectId": person.id,
        "givenName": given,
        "surname": surname or given,
        "email": person.email,
    }
