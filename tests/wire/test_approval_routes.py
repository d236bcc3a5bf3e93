"""`approval-routes.yaml`: what it says, and how it says what is wrong."""

import re
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import cast
from shared.domain.routes import ApprovalRoutes, BreakGlass, Route, Timing
from shared.errors import SettingsError
from shared.wire.approval_routes import parse_approval_routes
from tests.domain.samples import ADA, SYNC, TEAM

FILE = "approval-routes.yaml"
ROOT = Path(__file__).parents[2]
APPROVALS = "19:a11a0000000000000000000000000001@thread.tacv2"
SECURITY = "19:a11a0000000000000000000000000002@thread.tacv2"
HEAD = f"channels: {{approvals: '{APPROVALS}', security: '{SECURITY}'}}\nsecurity-channel: security\n"
DBA = "  - reviewer-group: dba\n    approvers: DBA approvers\n    channel: approvals\n"


def parsed(text: str) -> ApprovalRoutes:
    return parse_approval_routes(dedent(text), FILE)


def complaint(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parsed(text)

    assert caught.value.reason == "bad-settings"
    return caught.value.detail


def test_routes_say_who_is_asked_where_and_when() -> None:
    found = parsed(
        f"""\
        channels:
          approvals: "{APPROVALS}"
          security: {SECURITY}
        routes:
          - reviewer-group: dba
            approvers: DBA approvers
            channel: approvals
            mention: [{ADA.upper()}, {SYNC}, {ADA}]
            personal-cards: true
            key-setting: GATEWAY_KEY_DBA
            escalate-to: security
            remind-after: 30s
            expire-after: 1d
          - reviewer-group: {TEAM.upper()}
            channel: security
          - reviewer-group: "*"
            channel: approvals
        defaults: {{remind-after: 5m, escalate-after: 1h}}
        break-glass:
          approvers: {TEAM}
          key-setting: GATEWAY_KEY_BREAK_GLASS
          channel: security
        security-channel: security
        """
    )

    usual = Timing(timedelta(minutes=5), timedelta(hours=1), timedelta(hours=4))
    assert found == ApprovalRoutes(
        routes=(
            Route(
                "dba",
                "DBA approvers",
                APPROVALS,
                mention=(ADA, SYNC),
                personal_cards=True,
                key_setting="GATEWAY_KEY_DBA",
                escalation_channel=SECURITY,
                timing=Timing(timedelta(seconds=30), timedelta(hours=1), timedelta(days=1)),
            ),
            Route(TEAM.upper(), TEAM.upper(), SECURITY, timing=usual),
        ),
        security_channel=SECURITY,
        fallback=Route("*", "", APPROVALS, timing=usual),
        break_glass=BreakGlass(TEAM, SECURITY, "GATEWAY_KEY_BREAK_GLASS"),
    )


def test_routes_without_times_and_break_glass_have_the_usual_times_and_no_way_around() -> None:
    found = parse_approval_routes(f"{HEAD}routes:\n{DBA}", FILE)

    assert found == ApprovalRoutes((Route("dba", "DBA approvers", APPROVALS),), SECURITY)
    assert found.routes[0].timing == Timing(timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=4))


def test_approvers_of_a_group_named_by_an_object_id_may_be_another_group() -> None:
    found = parse_approval_routes(
        f"{HEAD}routes:\n  - reviewer-group: {TEAM}\n    approvers: {ADA}\n    channel: security\n", FILE
    )

    assert found.approver_group(found.routes[0]) == ADA


@pytest.mark.parametrize(
    ("text", "line", "fix"),
    [
        ("", 1, "add this key"),
        ("- a\n", 1, "write keys and values here"),
        ("channels: [a]\n", 1, "write keys and values here"),
        ("channels:\n  approvals: approvals\n", 2, "copy the channel's id"),
        (f"channels:\n  approvals: '{APPROVALS};messageid=1'\n", 2, "copy the channel's id"),
        ("channels:\n  approvals: '19:a/../b@thread.tacv2'\n", 2, "copy the channel's id"),
        ("channels:\n  approvals: 19\n", 2, "write a text here"),
        ("channels:\n  approvals: 2026-13-45\n", 2, "check indentation and quotes"),
        (f"{HEAD}routes: []\n", 3, "add a route"),
        (f"{HEAD}routes:\n  - reviewer-group: *\n", 4, "check indentation and quotes"),
        (f"{HEAD}routes:\n  - reviewer-group: {'a' * 101}\n", 4, "shorten it"),
        (f"{HEAD}routes:\n{DBA}    approver: x\n", 7, "correct its spelling"),
        (f"{HEAD}routes:\n{DBA}    channel: security\n", 7, "keep one"),
        (f"{HEAD}routes:\n{DBA}    mention: [ada]\n", 7, "object id of a person"),
        (f"{HEAD}routes:\n{DBA}    mention: {ADA}\n", 7, "begin with '- '"),
        (f"{HEAD}routes:\n{DBA}    mention: [{', '.join([ADA] * 6)}]\n", 7, "at most 5 people"),
        (f"{HEAD}routes:\n{DBA}    personal-cards: perhaps\n", 7, "true or false"),
        (f"{HEAD}routes:\n{DBA}    key-setting: hpk_1234\n", 7, "GATEWAY_KEY_DBA"),
        (f"{HEAD}routes:\n{DBA}    key-setting: GATEWAY_API_KEY\n", 7, "GATEWAY_KEY_DBA"),
        (f"{HEAD}routes:\n{DBA}    key-setting: GATEWAY_KEY_\n", 7, "GATEWAY_KEY_DBA"),
        (f"{HEAD}routes:\n{DBA}    remind-after: 90\n", 7, "a number and a unit"),
        (f"{HEAD}routes:\n{DBA}    remind-after: 1.5h\n", 7, "a number and a unit"),
        (f"{HEAD}routes:\n{DBA}    remind-after: 0s\n", 7, "a number and a unit"),
        (f"{HEAD}routes:\n{DBA}    remind-after: 1w\n", 7, "a number and a unit"),
        (f"{HEAD}routes:\n{DBA}    remind-after: [1s]\n", 7, "a number and a unit"),
        (f"{HEAD}routes:\n{DBA}    expire-after: 30m\n", 4, "change one of the three here"),
        (f"{HEAD}routes:\n{DBA}    expire-after: 25h\n", 4, "change one of the three here"),
        (f"{HEAD}routes:\n{DBA}defaults: {{remind-after: 1h}}\n", 7, "change one of the three"),
        (f"{HEAD}routes:\n{DBA}defaults: {{remind: 1h}}\n", 7, "correct its spelling"),
        (f"{HEAD}routes:\n{DBA.replace('approvals', 'aprovals')}", 6, "no channel is called aprovals"),
        (f"{HEAD}routes:\n{DBA}    escalate-to: nowhere\n", 7, "no channel is called nowhere"),
        (f"{HEAD}routes:\n{DBA}    escalate-to: approvals\n", 7, "name another, or none"),
        (HEAD.replace("channel: security", "channel: x") + f"routes:\n{DBA}", 2, "no channel is called x"),
        (f"{HEAD}routes:\n{DBA}break-glass: {{approvers: a, channel: x}}\n", 7, "no channel is called x"),
        (f"{HEAD}routes:\n{DBA}break-glass: {{approvers: a}}\n", 7, "add this key"),
        (f"{HEAD}routes:\n{DBA}break-glass: {{channel: security}}\n", 7, "add this key"),
        (f"{HEAD}routes:\n  - channel: approvals\n    reviewer-group: dba\n", 4, "nobody may approve for dba"),
        (f"{HEAD}routes:\n  - channel: approvals\n    reviewer-group: dba\n    approvers: ''\n", 6, "write a name"),
        (
            f"{HEAD}routes:\n  - reviewer-group: '*'\n    channel: approvals\n    approvers: a\n",
            6,
            "is its own approvers; remove this key",
        ),
        (
            f"{HEAD}routes:\n  - reviewer-group: '*'\n    channel: approvals\n    key-setting: GATEWAY_KEY_ALL\n",
            6,
            "belongs to one group",
        ),
        (f"{HEAD}routes:\n{DBA}{DBA}", 7, "keep one"),
        (
            (
                f"{HEAD}routes:\n  - {{reviewer-group: {TEAM}, channel: security}}\n"
                f"  - {{reviewer-group: {TEAM.upper()}, channel: security}}\n"
            ),
            5,
            "keep one",
        ),
        (
            (
                f"{HEAD}routes:\n{DBA}    key-setting: GATEWAY_KEY_A\n"
                f"  - {{reviewer-group: {TEAM}, channel: security, key-setting: GATEWAY_KEY_A}}\n"
            ),
            8,
            "a key of its own",
        ),
        (
            (
                f"{HEAD}routes:\n{DBA}    key-setting: GATEWAY_KEY_A\n"
                "break-glass: {approvers: a, channel: security, key-setting: GATEWAY_KEY_A}\n"
            ),
            7,
            "a key of its own",
        ),
    ],
)
def test_mistake_is_named_with_file_line_and_fix(text: str, line: int, fix: str) -> None:
    said = complaint(text)

    assert said.startswith(f"{FILE}, line {line}: ")
    assert fix in said


def test_every_mistake_is_named_once() -> None:
    route = (
        "  - {reviewer-group: sre, channel: here, escalate-to: there, key-setting: GATEWAY_KEY_A, expire-after: 1m}\n"
    )

    said = complaint(f"{HEAD}routes:\n{DBA}    key-setting: GATEWAY_KEY_A\n{route}")

    assert [sentence.split(": ")[1] for sentence in said.splitlines()] == [
        "routes.1",
        "routes.1.channel",
        "routes.1.escalate-to",
        "routes.1",
        "routes.1.key-setting",
    ]


def test_key_written_into_the_file_by_mistake_is_not_repeated_in_the_error() -> None:
    assert "hpk_secret" not in complaint(f"{HEAD}routes:\n{DBA}    key-setting: hpk_secret\n")


def test_example_of_the_page_is_sound_and_its_mistake_is_told_as_shown() -> None:
    page = (ROOT / "docs" / "approval-routes.md").read_text()
    shown, example = (block.split("```")[0] for block in re.split(r"```(?:yaml)?\n", page)[1::2])

    said = complaint(example.replace("channel: approvals", "channel: aprovals", 1))

    assert parsed(example).fallback is not None
    assert said == shown.strip()


def test_routes_of_the_sandbox_ask_its_cast() -> None:
    file = ROOT / "sandbox" / "approval-routes.yaml"

    found = parse_approval_routes(file.read_text(), file.name)

    resolved = found.resolved({group.name: group.id for group in cast.GROUPS})
    asked = (resolved.route_for(cast.DBA_REVIEWERS), resolved.route_for(cast.SECURITY_REVIEWERS), found.break_glass)
    assert [resolved.approver_group(each) for each in asked if each] == [
        cast.DBA_APPROVERS_ID,
        cast.SECURITY_APPROVERS_ID,
        cast.BREAK_GLASS_APPROVERS_ID,
    ]
    assert found.key_settings == {"GATEWAY_KEY_DBA", "GATEWAY_KEY_SECURITY", "GATEWAY_KEY_BREAK_GLASS"}
    assert {person for route in found.routes for person in route.mention} <= {person.id for person in cast.PEOPLE}


@given(st.text(alphabet=st.sampled_from("abentr-gou: \n[]{}'\"#&*!|>%@`\t,?1é\x00\x85"), max_size=80))
def test_arbitrary_text_is_a_mistake_with_its_line(text: str) -> None:
    assert complaint(text).startswith(f"{FILE}, line ")


@given(st.text(alphabet=st.sampled_from("abc-: \n[]{}'\"#&*!|>\t,1"), max_size=60))
def test_arbitrary_route_is_a_route_or_a_mistake_with_its_line(text: str) -> None:
    try:
        found = parse_approval_routes(f"{HEAD}routes:\n{DBA}    {text}\n", FILE)
    except SettingsError as error:
        assert error.detail.startswith(f"{FILE}, line ")  # noqa: PT017
    else:
        assert isinstance(found, ApprovalRoutes)
