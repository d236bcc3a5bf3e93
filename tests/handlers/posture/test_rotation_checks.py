"""Checks of rotation, day by day: each thing is told once, and nothing is called rotated that is not proven to be."""

import gzip
from datetime import timedelta

import pytest

from shared.domain.posture.estate_facts import OwnPolicy, Policy
from shared.domain.posture.rotation import RotationState
from shared.domain.posture.scan import ScanClaim, Source
from shared.domain.posture.vault import VaultVersion
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError, TetherError
from shared.handlers.check_rotation import check_rotation
from tests.fakes.entra import guid
from tests.fakes.scan import FakeScanStore
from tests.handlers.posture.rotating import CHANNEL, RULES, VAULT, RotatingTenant, rules

ADA = guid("ada")
DOWN = RetryLaterError("storage-unreachable")


@pytest.fixture
def tenant() -> RotatingTenant:
    return RotatingTenant()


async def test_each_stage_is_told_once_to_the_owner_and_in_the_list(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "old", age=60, days=33)
    await tenant.check()
    tenant.queue.waiting.clear()

    events = [dict((await tenant.check()).events) for _ in range(33)]

    stages = [(day, event) for day, event in enumerate(events, start=1) if event]
    assert stages == [(2, {"ends-30": 1}), (18, {"ends-14": 1}), (25, {"ends-7": 1}), (31, {"ends-1": 1})]
    assert tenant.shown == {ADA: 4, CHANNEL: 4}


async def test_nothing_new_is_not_told_again(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "old", age=200, days=100)

    first, second = await tenant.check(), await tenant.check()

    assert (first.events, second.events) == ({"overdue": 1}, {})
    assert tenant.shown == {ADA: 1, CHANNEL: 1}


async def test_old_credential_that_ends_is_told_of_though_it_was_overdue_before(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "old", age=200, days=9.5)

    first, second = await tenant.check(days=0), await tenant.check(days=3)

    assert first.events == {"overdue": 1, "ends-14": 1}
    assert second.events == {"ends-7": 1}


async def test_rotation_is_told_once_the_new_one_is_used_and_the_old_one_is_gone(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "old", age=100, days=100)
    tenant.use("payroll", "old")
    await tenant.check()
    tenant.add("payroll", "new")
    both = await tenant.check()
    tenant.remove("payroll", "old")
    gone = await tenant.check()
    tenant.use("payroll", "new")
    proven = await tenant.check()
    after = await tenant.check()

    assert [dict(each.events) for each in (both, gone, proven, after)] == [{}, {}, {"rotated": 1}, {}]
    assert [each.states[RotationState.ROTATED] for each in (both, gone, proven, after)] == [0, 0, 1, 1]
    assert tenant.shown[ADA] == 1


async def test_superseded_and_still_used_credentials_are_told_of(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "old", age=100, days=100)
    tenant.add("payroll", "new", age=30, days=100)
    tenant.use("payroll", "new")
    superseded = await tenant.check()
    tenant.use("payroll", "old")
    used = await tenant.check()

    assert (superseded.events, used.events) == ({"superseded-but-live": 1}, {"still-used-after-rotation": 1})
    card = tenant.text(used.notices[0])
    assert f'removePassword {{"keyId": "{guid("old")}"}}' in card.replace("\u200b", "")
    assert f"Used last {guid('old')}" in card.replace("\u200b", "")


async def test_policy_of_the_tenant_makes_a_credential_overdue(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "old", age=95, days=60)
    lenient = await tenant.check()
    tenant.policies.policy = Policy(enabled=True, max_secret_days=91)

    strict = await tenant.check()

    assert (lenient.events, strict.events) == ({}, {"overdue": 1})


async def test_own_policy_of_an_application_makes_its_credential_overdue_and_no_other(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "old", age=95, days=60)
    tenant.add("billing", "other", age=95, days=60)
    strict = Policy(enabled=True, max_secret_days=91)
    tenant.policies.own = (OwnPolicy(strict, frozenset({"max_secret_days"}), frozenset({guid("payroll application")})),)

    checked = await tenant.check()

    assert checked.events == {"overdue": 1}
    assert "payroll" in tenant.text(checked.notices[0])


async def test_policies_of_applications_that_are_not_read_are_said_once(tenant: RotatingTenant) -> None:
    await tenant.check()
    tenant.queue.waiting.clear()
    tenant.policies.own_failure = RetryLaterError("graph-503")

    first, second = await tenant.check(), await tenant.check()

    assert (len(first.notices), second.notices) == (1, ())
    assert "policies of single applications were not read (graph-503)" in tenant.text(first.notices[0])


async def test_policy_that_is_not_read_is_said_once(tenant: RotatingTenant) -> None:
    await tenant.check()
    tenant.queue.waiting.clear()
    tenant.policies.failure = RejectedError("graph-403")

    first, second = await tenant.check(), await tenant.check()

    assert len(first.notices) == 1
    assert second.notices == ()
    assert "policy for applications was not read (graph-403)" in tenant.text(first.notices[0])


async def test_renewed_and_foreign_things_are_not_told_of(tenant: RotatingTenant) -> None:
    tenant.add("proxy", "own", age=400, days=2)
    tenant.secrets["proxy"][0]["displayName"] = "CWAP_AuthSecret"
    tenant.tags["proxy"] = ["WindowsAzureActiveDirectoryOnPremApp"]

    checked = await tenant.check()

    assert (checked.events, checked.states) == ({}, {RotationState.RENEWED: 1})


async def test_owners_hear_of_the_worst_first_and_the_others_another_day(tenant: RotatingTenant) -> None:
    for number in range(5):
        tenant.add(f"app-{number}", f"key-{number}", age=10, days=29 - number)

    checks = [await tenant.check(rules(most=2)) for _ in range(4)]

    assert [each.owners_waiting for each in checks] == [3, 1, 0, 0]
    assert tenant.shown == {ADA: 5, CHANNEL: 1}
    assert "app-4" in tenant.text(checks[0].notices[0])


@pytest.mark.parametrize("owner", [{"enabled": False}, {"enabled": True, "guest": True}, {}])
async def test_owner_who_cannot_be_asked_hears_nothing(tenant: RotatingTenant, owner: dict[str, bool]) -> None:
    tenant.ada = owner
    tenant.add("payroll", "old", age=10, days=20)

    checked = await tenant.check()

    assert tenant.shown == {CHANNEL: 1}
    assert "nobody to ask" in tenant.text(checked.notices[0])


async def test_without_a_channel_nobody_hears_and_everything_is_told_later(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "old", age=10, days=20)

    silent = await tenant.check(rules(channel=""))
    loud = await tenant.check()

    assert (silent.events, silent.notices) == ({"ends-30": 1}, ())
    assert tenant.shown == {ADA: 1, CHANNEL: 1}
    assert loud.events == {"ends-30": 1}


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "reordered", "format"])
async def test_damaged_ledger_is_said_and_nothing_is_called_rotated_because_of_it(
    tenant: RotatingTenant, damage: str
) -> None:
    tenant.add("payroll", "old", age=100, days=100)
    tenant.add("crm", "crm", age=100, days=100)
    tenant.add("payroll", "new", age=5, days=100)
    tenant.use("payroll", "new")
    await tenant.check()
    tenant.remove("payroll", "old")
    tenant.ledger.stored = damaged(tenant.ledger.stored or b"", damage)

    checked = await tenant.check()
    again = await tenant.check()

    assert checked.events == {}
    assert checked.states[RotationState.ROTATED] == 0
    assert "started anew" in tenant.text(checked.notices[-1])
    assert again.notices == ()


def damaged(ledger: bytes, how: str) -> bytes:
    head, *lines, end = gzip.decompress(ledger).splitlines(keepends=True)
    if how == "reordered":
        return gzip.compress(b"".join((head, *lines[::-1], end)))
    if how == "format":
        return gzip.compress(b"".join((head.replace(b'"format":1', b'"format":2'), *lines, end)))
    if how == "changed":
        return ledger[:-20] + b"\0" * 20
    return ledger[: len(ledger) // 2] if how == "cut" else b""


@pytest.mark.parametrize("source", [Source.APPLICATIONS, Source.SERVICE_PRINCIPALS])
async def test_nothing_is_gone_when_the_directory_was_not_read(tenant: RotatingTenant, source: Source) -> None:
    tenant.add("payroll", "old", age=100, days=100)
    tenant.add("payroll", "new", age=5, days=100)
    tenant.use("payroll", "new")
    await tenant.check()
    tenant.remove("payroll", "old")
    tenant.inventory.failures[source] = RejectedError("graph-403")

    partial = await tenant.check()
    tenant.inventory.failures.clear()
    whole = await tenant.check()

    assert partial.events == {}
    assert any("graph-403" in one for one in partial.troubles)
    assert whole.events == {"rotated": 1}


async def test_no_rotation_is_proven_without_the_report_of_uses(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "old", age=100, days=100)
    await tenant.check()
    tenant.add("payroll", "new")
    await tenant.check()
    tenant.remove("payroll", "old")
    tenant.use("payroll", "new")
    tenant.inventory.failures[Source.CREDENTIAL_SIGN_INS] = RejectedError("no-licence")

    checked = await tenant.check()

    assert checked.events == {}
    assert checked.states == {RotationState.UNKNOWN: 1}
    assert "no rotation is proven" in tenant.text(checked.notices[0])


async def test_rotation_that_was_over_before_the_first_check_is_no_news(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "old", age=100, days=-1)
    tenant.add("payroll", "new", age=20, days=100)
    tenant.use("payroll", "new")

    first, second = await tenant.check(), await tenant.check()

    assert first.states == {RotationState.ROTATED: 1}
    assert (first.events, second.events) == ({}, {})


async def test_what_a_vault_hands_out_wrongly_is_told_once(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "live", age=10, days=90)
    app, gone = guid("payroll application"), guid("long gone")
    tenant.vaults.held[VAULT] = (
        VaultVersion(VAULT, "payroll", "1", guid("dead"), app_tag=app),
        VaultVersion(VAULT, "other", "1", guid("dead"), app_tag=gone),
        VaultVersion(VAULT, "database", "1"),
    )

    first, second = await tenant.check(), await tenant.check()

    assert (first.events, second.events) == ({"vault": 1}, {})
    assert any("of an application that is gone" in one for one in first.troubles)
    assert second.notices == ()
    assert "that Entra does not list" in tenant.text(first.notices[0])


@pytest.mark.parametrize("error", [RejectedError("vault-403"), RetryLaterError("vault-unreachable")])
async def test_vault_that_is_not_read_is_said(tenant: RotatingTenant, error: TetherError) -> None:
    tenant.vaults.failures[VAULT] = error

    checked = await tenant.check()

    assert any(error.reason in one for one in checked.troubles)


@pytest.mark.parametrize("died", ["first card", "second card", "list", "save", "end"])
async def test_death_between_two_lines_shows_every_card_once(tenant: RotatingTenant, died: str) -> None:
    tenant.add("payroll", "old", age=10, days=20)
    tenant.add("crm", "crm", age=10, days=5)
    puts = {"first card": 0, "second card": 1, "list": 2}
    tenant.notices.faults.plan("put", *([None] * puts.get(died, 3)), *([DOWN] if died in puts else []))
    tenant.ledger.faults.plan("save", *([DOWN] if died == "save" else []))
    tenant.store = Endless() if died == "end" else tenant.store
    with pytest.raises(RetryLaterError):
        await tenant.check()

    await tenant.check(days=0.01)
    await tenant.check(days=0.01)

    assert tenant.shown == {ADA: 2, CHANNEL: 1}


class Endless(FakeScanStore):
    """A store that is gone once, when a scan would end."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down = True

    async def save_claim(self, claim: ScanClaim) -> ScanClaim:
        if claim.ended and self.is_down:
            self.is_down = False
            raise DOWN
        return await super().save_claim(claim)


async def test_ledger_that_somebody_else_saved_is_not_overwritten(tenant: RotatingTenant) -> None:
    tenant.ledger.faults.plan("save", AlreadyDecidedError("storage-conflict"))

    with pytest.raises(AlreadyDecidedError):
        await tenant.check()

    assert tenant.ledger.stored is None


async def test_check_that_was_made_since_it_was_asked_for_is_not_made_again(tenant: RotatingTenant) -> None:
    asked_at = tenant.clock.now()
    await tenant.check()
    reads = tenant.inventory.asked.total()

    assert await check_rotation(tenant.ports, RULES, asked_at) is None
    assert tenant.inventory.asked.total() == reads
    assert await check_rotation(tenant.ports, RULES, tenant.clock.now() + timedelta(days=1)) is not None


async def test_credential_is_remembered_for_ninety_days_after_it_went(tenant: RotatingTenant) -> None:
    tenant.add("payroll", "old", age=100, days=300)
    tenant.add("payroll", "new", age=5, days=300)
    await tenant.check()
    tenant.remove("payroll", "old")
    await tenant.check()

    held = [guid("old").encode() in gzip.decompress(tenant.ledger.stored or b"")]
    for days in (89, 2):
        await tenant.check(days=days)
        held.append(guid("old").encode() in gzip.decompress(tenant.ledger.stored or b""))

    assert held == [True, True, False]


async def test_hostile_names_are_told_as_text(tenant: RotatingTenant) -> None:
    tenant.add("<b>=cmd()</b> [x](https://evil.example)\u202e", "old", age=10, days=5)

    checked = await tenant.check()

    assert [tenant.notices.stored[one].activity.count("\u202e") for one in checked.notices] == [0, 0]
