"""What a report could not see beside the scan stands in its coverage, each source by its name."""

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.posture.coverage import Coverage, SourceCoverage, SourceState
from shared.domain.posture.coverage_beside import sources_beside
from shared.domain.posture.coverage_block import SourceRead, coverage_block
from shared.domain.posture.estate_facts import Policy, Tenant
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.vault_judge import Vaulted
from tests.domain.posture import estates
from tests.domain.posture.apps import AT

SEEN = Tenant(
    policy=Known(Policy(enabled=True)),
    own_policies=Known(()),
    credential_changes=Known({}),
    unresolved_hosts=Known(frozenset()),
)
GATEWAY = Known(estates.estate(estates.holder(), estates.user(uses=Known(()))))


def failed(sources: Sequence[SourceRead]) -> dict[str, str]:
    return {one.name: one.reason for one in sources if not one.is_whole}


def test_everything_that_was_read_is_named_and_whole() -> None:
    sources = sources_beside(SEEN, GATEWAY, Vaulted(), has_resources=True)

    assert failed(sources) == {}
    assert {one.name: one.read for one in sources} == {
        "app-management-policy": 1,
        "policies-of-applications": 0,
        "credential-changes": 0,
        "redirect-hosts": 0,
        "gateway": 2,
        "gateway-sessions": 1,
        "membership-changes": 0,
        "tokens-for-resources": 0,
    }


def test_each_source_that_failed_says_why() -> None:
    dark = Tenant(
        policy=Unknown("graph-403"), own_policies=Unknown("graph-404"), credential_changes=Unknown("no-licence")
    )
    blind = replace(
        estates.estate(estates.holder(uses=Unknown("gateway-500"))), audits=Unknown("a"), tokens=Unknown("b")
    )
    vaults = Vaulted((), {"https://contoso.vault.azure.net": Unknown("vault-403")})

    sources = sources_beside(dark, Known(blind), vaults, has_resources=True)

    assert failed(sources) == {
        "app-management-policy": "graph-403",
        "policies-of-applications": "graph-404",
        "credential-changes": "no-licence",
        "redirect-hosts": "not-read",
        "gateway-sessions": "gateway-500",
        "membership-changes": "a",
        "tokens-for-resources": "b",
        "https://contoso.vault.azure.net": "vault-403",
    }


def test_gateway_that_does_not_answer_is_one_source_that_failed() -> None:
    sources = sources_beside(SEEN, Unknown("empty-roster"), Vaulted(), has_resources=True)

    assert failed(sources) == {"gateway": "empty-roster"}


def test_tokens_of_no_resource_are_no_source() -> None:
    without = replace(GATEWAY.value, tokens=Unknown("no-protected-resource"))

    assert failed(sources_beside(SEEN, Known(without), Vaulted(), has_resources=False)) == {}


def test_licence_that_a_source_lacks_is_named() -> None:
    unlicensed = SourceCoverage("sign-ins", SourceState.UNKNOWN, reason="no-licence")
    refused = replace(unlicensed, reason="graph-403")

    named = [coverage_block(Coverage("scan", AT, (source,))).licences_missing for source in (unlicensed, refused)]

    assert named == [("Microsoft Entra ID P1",), ()]
