"""The proof: the evidence that the app wrote, downloaded and verified offline; and that a forgery would be seen."""

import subprocess
import sys
import tempfile
from pathlib import Path

from azure.storage.blob.aio import BlobServiceClient

from sandbox.demo.timeline import Timeline
from sandbox.supervisor import Sandbox

ROOT = Path(__file__).parents[2]


async def verify(sandbox: Sandbox, timeline: Timeline) -> None:
    """Every chain verifies, and a single changed character does not."""
    await sandbox.run_function("anchor_evidence")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        await timeline.until("evidence downloaded, anchored", lambda: _download(sandbox, target), within=10)
        await timeline.holds(f"the evidence verifies: {_summary(target)}", lambda: _verifies(target))
        _forge(target)

        async def is_noticed() -> bool:
            return not await _verifies(target)

        await timeline.holds("one changed character is noticed", is_noticed)


def _forge(target: Path) -> None:
    """Change one character of one entry, as somebody with something to hide would."""
    chain = next(path for path in target.glob("principals/*.jsonl") if b'"before"' in path.read_bytes())
    chain.write_bytes(chain.read_bytes().replace(b'"before"', b'"befare"', 1))


async def _download(sandbox: Sandbox, target: Path) -> bool:
    """Whether an anchor was among what is stored."""
    anchored = False
    async with BlobServiceClient.from_connection_string(sandbox.settings["AzureWebJobsStorage"]) as blobs:
        container = blobs.get_container_client("evidence")
        async for name in container.list_blob_names():
            _write(target / name, await (await container.download_blob(name)).readall())
            anchored |= name.startswith("anchors/")
    return anchored


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


async def _verifies(target: Path) -> bool:
    return _run(target).returncode == 0


def _summary(target: Path) -> str:
    return _run(target).stdout.strip().splitlines()[-1:][0] if _run(target).stdout.strip() else "nothing to verify"


def _run(target: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tools.verify_evidence", str(target)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
