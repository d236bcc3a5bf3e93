from dataclasses import replace

import pytest

from shared.domain.posture.check import Case
from shared.domain.posture.checks.vault import CHECKS
from shared.domain.posture.finding import Finding, Verdict
from shared.domain.posture.inventory import Credential, Known, Unknown
from shared.domain.posture.limits import Limits
from shared.domain.posture.vault import VaultedApp, VaultVersion
from tests.domain.posture.apps import (
    AT,
    NOT_READ,
    OBJECT,
    Days,
    ago,
    ahead,
    holding,
    secret,
)

LIMITS = Limits()
LIVE = secret("Key-1", 20, 100)
ENDLESS, OVER = replace(LIVE, ends_at=None), replace(LIVE, ends_at=ago(1))
DISAGREE = "The vault and Entra disagree on when it ends."
EXPIRED = "The vault hands out a credential that has expired."


def handed_out(version: str = "1", key_id: str = "key-1", ends: Days = 100, *, enabled: bool = True) -> VaultVersion:
    return VaultVersion("kv", "payroll", version, key_id, enabled, None if ends is None else ahead(ends))


def vaulted(
    *versions: VaultVersion, credential: Credential = LIVE, unread: Unknown | None = None, is_gone: bool = False
) -> list[Finding]:
    one = VaultedApp(OBJECT, None if is_gone else holding(credential), unread or Known(versions))
    return [finding for check in CHECKS for finding in check.judge(Case(one, AT, LIMITS))]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (vaulted(handed_out()), ""),
        (vaulted(), ""),
        (vaulted(handed_out(key_id="other")), "The vault hands out a credential that Entra does not list."),
        (vaulted(handed_out(key_id="other", enabled=False), handed_out("2")), ""),
        (vaulted(handed_out(key_id="", enabled=False)), ""),
        (vaulted(handed_out(ends=101)), ""),
        (vaulted(handed_out(ends=99)), ""),
        (vaulted(handed_out(ends=101.01)), DISAGREE),
        (vaulted(handed_out(ends=98.9)), DISAGREE),
        (vaulted(handed_out(ends=None)), DISAGREE),
        (vaulted(handed_out(ends=None), credential=ENDLESS), ""),
        (vaulted(handed_out(), credential=ENDLESS), DISAGREE),
        (vaulted(handed_out(ends=-1), credential=OVER), EXPIRED),
        (vaulted(handed_out(), is_gone=True), "The vault hands out a credential of an application that is gone."),
        (vaulted(handed_out(key_id="")), "no-credential-tag"),
        (vaulted(unread=NOT_READ), "graph-403"),
    ],
)
def test_vault_and_entra_must_agree(found: list[Finding], expected: str) -> None:
    said = [one.says if one.verdict is Verdict.FAIL else dict(one.facts)["missing"] for one in found]

    assert said == ([expected] if expected else [])


def test_versions_of_one_key_are_one_finding() -> None:
    (finding,) = vaulted(handed_out("2", "other"), handed_out("1", "OTHER", None))

    assert finding.about.key_id == "other"
    assert dict(finding.facts)["versions"] == "kv/payroll/1, kv/payroll/2"
