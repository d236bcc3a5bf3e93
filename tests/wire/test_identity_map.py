"""`identity-map.yaml`: what it says, and how it says what is wrong."""

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.gateway import IdentityKind, IdentityRef
from shared.domain.identity_map import GroupMapping, IdentityMap
from shared.errors import SettingsError
from shared.wire.identity_map import parse_identity_map
from tests.domain.samples import ADA, SYNC, names

FILE = "identity-map.yaml"


def parsed(text: str) -> IdentityMap:
    return parse_identity_map(dedent(text), FILE)


def complaint(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parsed(text)

    assert caught.value.reason == "bad-settings"
    return caught.value.detail


def test_map_says_which_group_and_principal_stands_for_what() -> None:
    found = parsed(
        f"""\
        identity-map:
          - entra-group: sync-agents
            connection: records-api
            scope: write:records
            record: true
          - entra-group: 6D1C0000-0000-4000-8000-000000000001
            gateway-group: sre
        agents:
          - entra: {SYNC.upper()}
            gateway: {{service-account: {SYNC}, api-key: worker}}
          - entra: {SYNC}
            gateway: {{ai-agent: triage}}
          - entra: {ADA}
            gateway: {{machine-identity: etl}}
        break-glass: [Break.Glass@example.com]
        """
    )

    assert found == IdentityMap(
        groups=(
            GroupMapping("sync-agents", None, "records-api", "write:records", record=True),
            GroupMapping("6D1C0000-0000-4000-8000-000000000001", "sre"),
        ),
        agents={
            SYNC: (
                IdentityRef(IdentityKind.SERVICE_ACCOUNT, SYNC),
                IdentityRef(IdentityKind.API_KEY, "worker"),
                IdentityRef(IdentityKind.AI_AGENT, "triage"),
            ),
            ADA: (IdentityRef(IdentityKind.MACHINE_IDENTITY, "etl"),),
        },
        break_glass=names("break.glass@example.com"),
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}", "identity-map: []\n"])
def test_empty_map_maps_nothing(text: str) -> None:
    assert parse_identity_map(text, FILE) == IdentityMap()


@pytest.mark.parametrize(
    ("text", "line", "fix"),
    [
        ("identity-map:\n  - entra-group: a\n    conection: b\n", 3, "correct its spelling"),
        ("identity-map:\n  - connection: b\n", 2, "add this key"),
        ("identity-map:\n  - entra-group: 7\n", 2, "quote it"),
        ("identity-map:\n  - entra-group: 2026-03-01\n", 2, "quote it"),
        ("identity-map:\n  - entra-group: ''\n", 2, "write a name here"),
        (f"identity-map:\n  - entra-group: {'a' * 181}\n", 2, "shorten it"),
        ("identity-map:\n  - entra-group: a\n  - entra-group: b\n    record: perhaps\n", 4, "true or false"),
        ("identity-map:\n  - entra-group: b\n    record: []\n", 3, "true or false"),
        ("identity-map:\n  entra-group: a\n", 1, "begin with '- '"),
        ("identity-map:\n  - a\n", 2, "write keys and values here"),
        ("- a\n", 1, "write keys and values here"),
        ("text\n", 1, "write keys and values here"),
        ("agents:\n  - entra: sync\n    gateway: {api-key: a}\n", 2, "object id"),
        (f"agents:\n  - entra: {SYNC}\n    gateway: {{}}\n", 3, "name at least one of service-account"),
        (f"agents:\n  - entra: {SYNC}\n    gateway: {{user: ada}}\n", 3, "correct its spelling"),
        (f"agents:\n  - entra: {SYNC}\n", 2, "add this key"),
        ("break-glass:\n  - a\n  - [b]\n", 3, "quote it"),
        ("1: a\n", 1, "quote this key"),
        ("identity-map:\n  - entra-group: [\n", 3, "check indentation and quotes"),
        ("identity-map:\n\t- a\n", 2, "check indentation and quotes"),
        ("a: b\n---\nc: d\n", 2, "check indentation and quotes"),
        ("identity-map: []\nagents: *nowhere\n", 2, "check indentation and quotes"),
        ("identity-map:\n  - entra-group: a\n    connection: b\n    connection: c\n", 4, "keep one"),
        ("identity-map:\n  - entra-group: a\nagents: []\nidentity-map: []\n", 4, "keep one"),
        ("identity-map:\n  - entra-group: a\x07\n", 2, "remove"),
    ],
)
def test_mistake_is_named_with_file_line_and_fix(text: str, line: int, fix: str) -> None:
    said = complaint(text)

    assert said.startswith(f"{FILE}, line {line}: ")
    assert fix in said


def test_every_mistake_is_named() -> None:
    said = complaint("identity-map:\n  - entra-group: 7\nagents:\n  - entra: x\n    gateway: {api-key: a}\n")

    assert [sentence.split(":")[0] for sentence in said.splitlines()] == [f"{FILE}, line 2", f"{FILE}, line 4"]


def test_gateway_identity_tied_to_two_principals_is_refused_where_the_agents_begin() -> None:
    said = complaint(
        f"""\
        identity-map: []
        agents:
          - entra: {SYNC}
            gateway: {{api-key: worker}}
          - entra: {ADA}
            gateway: {{api-key: worker}}
        """
    )

    assert said.startswith(f"{FILE}, line 2: ")
    assert "api-key/worker is tied to two principals; keep one" in said


@given(st.text(alphabet=st.sampled_from("abentr-gou: \n[]{}'\"#&*!|>%@`\t,?1é\x00\x85"), max_size=80))
def test_arbitrary_text_is_a_map_or_a_mistake_with_its_line(text: str) -> None:
    try:
        found = parse_identity_map(text, FILE)
    except SettingsError as error:
        assert error.detail.startswith(f"{FILE}, line ")  # noqa: PT017
    else:
        assert isinstance(found, IdentityMap)
