"""`posture.yaml`: what it says, how it says what is wrong, and that its page has every key."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import cast
from sandbox.identity.server import ADMIN_OBJECT_ID
from shared.domain.posture.exceptions import Class, Declared, DeclaredRisk, Terms
from shared.domain.posture.finding import Severity
from shared.domain.posture.gateway_view import Overlap
from shared.domain.posture.limits import Limits
from shared.domain.posture.rules import OperatorFacts, OwnerRules, PostureRules
from shared.errors import SettingsError
from shared.wire.posture_rules import parse_posture_rules
from shared.wire.posture_thresholds import Thresholds
from tests.domain.samples import ADA, SYNC, TEAM

ARCHIVES = {"payroll-archive", "invoices-archive"}
"""Those that the demo's last chapter adds."""
FILE = "posture.yaml"
ROOT = Path(__file__).parents[2]
SECURITY = "19:a11a0000000000000000000000000002@thread.tacv2"
PROTECTED_TWICE = f"""\
gateway:
  protected:
    - {{resource: {ADA}, connection: a}}
    - {{resource: {ADA.upper()}, connection: b}}
"""
CLASSIFIED = f"  - {{finding: 0f1e2d3c4b5a6978, as: not-ours, by: {ADA}, since: 2027-03-31}}\n"
RISK = f"finding: 1f1e2d3c4b5a6978, severity: low, by: {ADA}, because: rests, since: 2027-03-01, until: 2027-05-29"
ACCEPTED = f"  - {{{RISK}}}\n"
NUMBERS = [one.name for one in fields(Limits) if isinstance(getattr(Limits(), one.name), int)]


def parsed(text: str) -> PostureRules:
    return parse_posture_rules(dedent(text), FILE)


def complaint(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parsed(text)

    assert caught.value.reason == "bad-settings"
    return caught.value.detail


def limit_or_complaint(text: str, name: str) -> object:
    try:
        return getattr(parsed(text).limits, name)
    except SettingsError as error:
        return error.detail


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}", "owners: {}\nthresholds: {}\ngateway: {}"])
def test_what_is_not_written_keeps_its_default(text: str) -> None:
    assert parsed(text) == PostureRules()


def test_rules_say_thresholds_places_people_and_what_only_operators_know() -> None:
    found = parsed(
        f"""\
        tenant-name: Contoso
        channel: "{SECURITY}"
        approvers: {TEAM.upper()}
        owners: {{most: 5, most-unowned: 2, remind-after: 12h, escalate-after: 3d}}
        thresholds:
          stale: 60
          expiring: [7, 60, 7]
          trusted-issuers: [https://git.contoso.example/]
          smallest-rsa: 3072
        gateway:
          sensitive: [vault]
          standby: [dr]
          protected: [{{resource: {SYNC.upper()}, connection: vault}}]
          overlaps: [{{principal: {ADA}, groups: [{TEAM}, {SYNC}], until: 2027-03-31}}]
          probes: [{SYNC}]
          workloads: {{etl: [10.0.0.1, 10.0.0.2]}}
        additions:
          actors: [Provisioning@contoso.example]
          changes: [{ADA}]
          memberships: [{{group: {TEAM}, member: {SYNC}}}]
        rotations: {{actors: [{TEAM}], changes: [{SYNC}]}}
        private-zones: [Corp.contoso.example.]
        vaults: [https://Contoso.vault.azure.net/, "https://contoso.vault.azure.net"]
        classified: [{{finding: 0f1e2d3c4b5a6978, as: not-ours, by: {ADA.upper()}, since: 2027-03-31}}]
        accepted: [{{{RISK}}}]
        """
    )

    assert found == PostureRules(
        "Contoso",
        SECURITY,
        TEAM,
        OwnerRules(5, 2, timedelta(hours=12), timedelta(days=3)),
        Limits(
            stale=60,
            expiring=(60, 7),
            trusted_issuers=frozenset({"https://git.contoso.example"}),
            smallest_rsa=3072,
        ),
        OperatorFacts(
            frozenset({"vault"}),
            frozenset({"dr"}),
            {SYNC: "vault"},
            (Overlap(ADA, frozenset({TEAM, SYNC}), datetime(2027, 4, 1, tzinfo=UTC)),),
            frozenset({SYNC}),
            frozenset({"provisioning@contoso.example"}),
            frozenset({TEAM}),
            frozenset({ADA, SYNC, f"{TEAM}/{SYNC}"}),
            {"10.0.0.1": "etl", "10.0.0.2": "etl"},
            frozenset({"corp.contoso.example"}),
        ),
        ("https://contoso.vault.azure.net",),
        (Declared("0f1e2d3c4b5a6978", Class.NOT_OURS, ADA, datetime(2027, 3, 31, tzinfo=UTC)),),
        (
            DeclaredRisk(
                "1f1e2d3c4b5a6978",
                Severity.LOW,
                ADA,
                Terms("rests", datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 5, 29, 23, 59, 59, tzinfo=UTC)),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thresholds:\n  stlae: 1", "line 2: thresholds.stlae: Extra inputs are not permitted; remove this key"),
        ("thresholds:\n  stale: true", "line 2: thresholds.stale: Input should be a valid integer; write a whole"),
        ("thresholds:\n  stale: '90'", "line 2: thresholds.stale: Input should be a valid integer; write a whole"),
        ("thresholds:\n  stale: 0", "line 2: thresholds.stale: Input should be greater than or equal to 1; raise it"),
        ("thresholds:\n  expiring: []", "line 2: thresholds.expiring"),
        ("thresholds:\n  trusted-issuers: [http://git.example]", "not the address of an issuer; write an https"),
        (
            "thresholds:\n  stale: 200",
            "line 2: thresholds.stale: stale-high (180) has to be more than stale (200); change one of the two",
        ),
        (
            "thresholds:\n  max-secret-days: 90\n  long-secret-days: 90",
            "line 3: thresholds.long-secret-days: long-secret-days (90) has to be more than max-secret-days (90)",
        ),
        ("channel: security", "line 1: channel: not the id of a channel; copy the channel's id from Teams"),
        (f"channel: '{SECURITY}'\napprovers: security", "line 2: approvers: String should match pattern"),
        (f"approvers: {TEAM}", "line 1: approvers: nobody asks them without a channel; add channel, or remove"),
        ("owners: {remind-after: 14d}", "owners.escalate-after: not later than remind-after; raise it, or lower"),
        ("owners: {remind-after: 2 weeks}", "owners.remind-after: not a duration; write a number and a unit"),
        (
            f"gateway:\n  overlaps:\n    - principal: {ADA}\n      groups: [{TEAM}]\n      until: 2027-03-31",
            "line 4: gateway.overlaps.0.groups: List should have at least 2 items",
        ),
        (
            f"gateway:\n  overlaps:\n    - principal: {ADA}\n      groups: [{TEAM}, {SYNC}]\n      until: soon",
            "line 5: gateway.overlaps.0.until: not a day; write a day, such as 2027-03-31",
        ),
        (
            f"gateway:\n  overlaps:\n    - principal: {ADA}\n      groups: [{TEAM}, {SYNC}]",
            "line 3: gateway.overlaps.0.until: Field required; add this key",
        ),
        (
            PROTECTED_TWICE,
            "line 4: gateway.protected.1.resource: named before; keep one",
        ),
        ("gateway:\n  workloads: {a: [x], b: [x]}", "line 2: gateway.workloads.a: a source belongs to one workload"),
        ("vaults: [http://contoso.vault.azure.net]", "line 1: vaults.0: not the address of a vault; write an https"),
        ("vaults: ['https://a@b.vault.azure.net']", "line 1: vaults.0: not the address of a vault"),
        ("private-zones: ['*.corp']", "line 1: private-zones.0: not a domain; write a domain such as"),
        (
            f"classified:\n  - {{finding: 0f1e2d3c4b5a6978, as: boring, by: {ADA}, since: 2027-03-31}}",
            "line 2: classified.0.as: Input should be 'renewed-by-microsoft' or 'not-ours'; write not-ours, or of a",
        ),
        (
            f"classified:\n  - {{finding: 1234567890123456, as: not-ours, by: {ADA}, since: 2027-03-31}}",
            "line 2: classified.0.finding: Input should be a valid string; write a text here; quote it",
        ),
        (
            f"approvers: {TEAM}\nclassified:\n{CLASSIFIED}{CLASSIFIED}",
            "line 4: classified.1.finding: named before; keep one",
        ),
        (
            f"approvers: {TEAM}\nclassified:\n{CLASSIFIED}accepted:\n{ACCEPTED.replace('1f1e', '0f1e')}",
            "line 5: accepted.0.finding: named before; keep one",
        ),
        (
            f"approvers: {TEAM}\naccepted:\n{ACCEPTED}{ACCEPTED}",
            "line 4: accepted.1.finding: named before; keep one",
        ),
        (
            f"approvers: {TEAM}\naccepted:\n{ACCEPTED.replace('05-29', '05-30')}",
            "line 3: accepted.0.until: more than 90 days; write an earlier day",
        ),
        (
            f"approvers: {TEAM}\naccepted:\n{ACCEPTED.replace('05-29', '02-28')}",
            "line 3: accepted.0.until: earlier than since; write a later day",
        ),
        (
            f"approvers: {TEAM}\naccepted:\n{ACCEPTED.replace('low', 'grave')}",
            "line 3: accepted.0.severity: not a severity; write low, medium, high or critical",
        ),
        (f"accepted:\n{ACCEPTED}", "line 1: accepted: nobody may accept without approvers; add approvers"),
        (f"classified:\n{CLASSIFIED}", "line 1: classified: nobody may classify without approvers; add approvers"),
        ("- stale: 1", "line 1: the document: Input should be a valid dictionary"),
        ("owners: {}\nowners: {}", "line 2: owners: written twice; keep one"),
        ("a: [", "line 1: not YAML"),
    ],
)
def test_mistake_is_named_with_its_file_its_line_and_the_fix(text: str, expected: str) -> None:
    found = complaint(text)

    assert found.startswith(f"{FILE}, line ")
    assert expected in found


def test_approvers_may_classify_without_a_channel() -> None:
    found = parsed(f"approvers: {TEAM}\nclassified:\n{CLASSIFIED}")

    assert [one.finding_id for one in found.classified] == ["0f1e2d3c4b5a6978"]


def test_vault_of_a_sandbox_may_be_on_loopback_without_https() -> None:
    assert parsed("vaults: ['http://127.0.0.1:7080']").vaults == ("http://127.0.0.1:7080",)


@given(st.sampled_from(NUMBERS), st.integers(-5, 20_000))
def test_every_threshold_is_taken_as_written_or_refused_by_name(name: str, value: int) -> None:
    key = name.replace("_", "-")

    taken = limit_or_complaint(f"thresholds: {{{key}: {value}}}", name)

    assert taken == value or key in str(taken)


def test_every_limit_has_a_threshold_of_its_name() -> None:
    assert set(Thresholds.model_fields) == {one.name for one in fields(Limits)}


def test_page_tells_of_every_threshold_and_its_default() -> None:
    page = (ROOT / "docs" / "posture-rules.md").read_text(encoding="utf-8")

    rows = [line for line in page.splitlines() if line.startswith("| `")]
    told = {line.split("`")[1]: line for line in rows}
    missing = [name for name in NUMBERS if f"| {getattr(Limits(), name)} |" not in told.get(name.replace("_", "-"), "")]
    assert missing == []


def test_example_on_the_page_is_understood() -> None:
    page = (ROOT / "docs" / "posture-rules.md").read_text(encoding="utf-8")

    found = parsed(page.split("```yaml\n")[1].split("```")[0])

    assert found.channel
    assert found.facts.protected


def test_rules_of_the_sandbox_fit_its_cast() -> None:
    found = parse_posture_rules((ROOT / "sandbox" / FILE).read_text(encoding="utf-8"), FILE)

    assert found.approvers == cast.SECURITY_APPROVERS_ID
    assert found.facts.protected == {cast.RECORDS_RESOURCE: "records-api", cast.LEDGER_RESOURCE: "ledger-db"}
    assert found.facts.sensitive <= {*cast.CONNECTIONS, *ARCHIVES}
    assert found.facts.trusted_actors == found.facts.rotation_actors == {ADMIN_OBJECT_ID}
