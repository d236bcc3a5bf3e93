"""Rotation and vaults in reports: judged in the same scan, and unknown where a vault was not read."""

from dataclasses import replace

from shared.domain.posture.report import Standing
from shared.domain.posture.rules import PostureRules
from shared.domain.posture.vault import VaultVersion
from shared.errors import RejectedError
from shared.handlers.report_posture import Published, report_posture
from tests.fakes.entra import guid
from tests.fakes.rotation import FakeVaults
from tests.handlers.posture.desk import RULES, Desk

VAULT = "https://kv.vault.azure.net"
VAULTED = replace(RULES, posture=PostureRules(vaults=(VAULT,)))


async def report_with(desk: Desk, vaults: FakeVaults) -> Published:
    return await report_posture(replace(desk.ports, vaults=vaults), VAULTED)


async def test_what_a_vault_hands_out_wrongly_is_a_finding() -> None:
    desk, vaults = Desk(), FakeVaults()
    desk.add_secret("quiet", days=60)
    vaults.held[VAULT] = (VaultVersion(VAULT, "quiet", "1", "dead", app_tag=guid("quiet application")),)

    made = await report_with(desk, vaults)

    found = [entry.finding for entry in made.report.standing(Standing.OPEN) if entry.finding.check_id == "C17"]
    assert [(one.about.name, one.about.key_id) for one in found] == [("quiet", "dead")]


async def test_vault_that_was_not_read_is_a_gap() -> None:
    vaults = FakeVaults()
    vaults.failures[VAULT] = RejectedError("vault-403")

    made = await report_with(Desk(), vaults)

    gaps = [(gap.check_id, gap.reason) for gap in made.report.coverage.gaps if gap.check_id == "C17"]
    assert gaps == [("C17", "vault-403")]


async def test_credentials_of_the_tenant_are_in_the_table() -> None:
    desk = Desk()
    desk.add_secret("quiet", days=5)

    made = await desk.report()

    assert b'"due","quiet"' in desk.reports.files[made.report_id, "rotation.csv"]
