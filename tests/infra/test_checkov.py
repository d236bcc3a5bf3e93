"""checkov finds nothing in the infrastructure that is not skipped with a reason, and its silence means something."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.infra.bicep import INFRA
from tests.infra.code import ROOT

CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
UNREADABLE = "resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' = {\n"
WEAK = """
resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: 'weak'
  location: 'westeurope'
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: true
    supportsHttpsTrafficOnly: false
    minimumTlsVersion: 'TLS1_0'
  }
}
"""

pytestmark = pytest.mark.skipif(not CHECKOV.exists(), reason="checkov is not installed: make .venv-checkov/.installed")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What checkov says of our files, and of two that are as they must not be."""
    folder = tmp_path_factory.mktemp("checkov")
    shutil.copytree(INFRA, folder / "ours", ignore=lambda _, names: [n for n in names if n.endswith((".py", ".json"))])
    for name, text in (("unreadable", UNREADABLE), ("weak", WEAK)):
        (folder / name).mkdir()
        (folder / name / "main.bicep").write_text(text, encoding="utf-8")
    command = [str(CHECKOV), "--directory", str(folder), "--framework", "bicep", "--output", "json", "--skip-download"]
    environment = os.environ | {"LOG_LEVEL": "ERROR"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=110)
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


def test_checkov_reads_every_file_of_ours(report: dict[str, Any]) -> None:
    unreadable = [Path(path).parent.name for path in report["results"]["parsing_errors"]]

    assert unreadable == ["unreadable"]


def test_checkov_finds_nothing_in_ours(report: dict[str, Any]) -> None:
    failed = [f"{one['file_path']}: {one['check_id']} {one['check_name']}" for one in _ours(report, "failed_checks")]

    assert failed == []
    assert len(_ours(report, "passed_checks")) > 20


def test_checkov_finds_what_is_weak(report: dict[str, Any]) -> None:
    weak = {one["check_id"] for one in report["results"]["failed_checks"] if one["file_path"].startswith("/weak/")}

    assert {"CKV_AZURE_3", "CKV_AZURE_44", "CKV_AZURE_59"} & weak


def test_every_skipped_check_has_its_reason(report: dict[str, Any]) -> None:
    skipped = _ours(report, "skipped_checks")

    assert skipped
    assert [one["check_id"] for one in skipped if len(one["check_result"]["suppress_comment"].split()) < 4] == []


def _ours(report: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in report["results"][kind] if Path(one["file_path"]).parts[1] == "ours"]
