"""The timeline's arithmetic: which gateway effects answer which Entra change, and after how long."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sandbox.door.changes import Change, Changes, ChangeState
from sandbox.door.events import EntraEvent, GatewayEvent
from sandbox.door.page import percentile
from sandbox.door.picture import Picture
from sandbox.door.wording import duration, headline, outcome

ADA, BOB, ON_CALL, LEADS, PLATFORM = "ada", "bob", "on-call-id", "leads-id", "platform-id"
ADA_AT_GATEWAY, BOB_AT_GATEWAY = "sub-ada", "sub-bob"
PICTURE = Picture(
    names={ADA: "Ada Byron", BOB: "Bob", ON_CALL: "on-call", LEADS: "leads", PLATFORM: "platform"},
    members={ON_CALL: frozenset({BOB}), LEADS: frozenset(), PLATFORM: frozenset()},
    subjects={ADA: frozenset({ADA_AT_GATEWAY}), BOB: frozenset({BOB_AT_GATEWAY})},
    stands_for={ON_CALL: frozenset({"on-call"}), LEADS: frozenset({"leads"}), PLATFORM: frozenset({"platform"})},
    groups_of_connection={"payments": frozenset({"on-call"}), "orders": frozenset({"platform"})},
)


def entra(at: float, kind: str, principal: str | None = ADA, group: str | None = None, of: str = "user") -> EntraEvent:
    return EntraEvent(int(at * 1000), at, kind, principal, group, of)


def created(subject: str, *groups: str) -> GatewayEvent:
    return GatewayEvent(0, 1, "user-created", subject, detail={"after": {"status": "active", "groups": list(groups)}})


def written(at: float, subject: str, *groups: str, status: str = "active") -> GatewayEvent:
    detail = {"after": {"status": status, "groups": list(groups)}}
    return GatewayEvent(0, at, "user-updated", subject, detail=detail)


def opened(at: float, subject: str, connection: str) -> GatewayEvent:
    return GatewayEvent(0, at, "session-opened", subject, connection, {"session_id": f"{subject}-{connection}"})


def closed(at: float, subject: str, connection: str, reason: str = "killed") -> GatewayEvent:
    detail = {"session_id": f"{subject}-{connection}", "reason": reason}
    return GatewayEvent(0, at, "session-closed", subject, connection, detail)


def seen(
    entra_events: Sequence[EntraEvent], gateway_events: Sequence[GatewayEvent], picture: Picture = PICTURE
) -> Changes:
    changes = Changes()
    changes.observe(entra_events, gateway_events, picture)
    return changes


def told(change: Change, now: float) -> tuple[str, str, ChangeState]:
    state = change.state(now)
    return headline(change), outcome(change, state), state


def test_row_is_open_until_the_group_is_taken_and_the_session_has_ended() -> None:
    changes = seen(
        [entra(10, "member-removed", group=ON_CALL)],
        [created(ADA_AT_GATEWAY, "on-call", "platform"), opened(5, ADA_AT_GATEWAY, "payments")],
    )
    row = changes.all[0]

    states = [row.state(10.01)]
    changes.observe([], [written(10.05, ADA_AT_GATEWAY, "platform")], PICTURE)
    states.append(row.state(10.06))
    changes.observe([], [closed(10.084, ADA_AT_GATEWAY, "payments")], PICTURE)

    assert states == [ChangeState.OPEN, ChangeState.OPEN]
    assert told(row, 11) == (
        "Ada Byron removed from on-call",
        "1 session ended, group on-call taken",
        ChangeState.DONE,
    )
    assert round(row.latency_ms or 0) == 84


def test_session_that_stays_reachable_keeps_no_row_open() -> None:
    changes = seen(
        [entra(10, "member-removed", group=ON_CALL)],
        [
            created(ADA_AT_GATEWAY, "on-call", "platform"),
            opened(5, ADA_AT_GATEWAY, "orders"),
            written(10.05, ADA_AT_GATEWAY, "platform"),
        ],
    )

    assert told(changes.all[0], 11)[1:] == ("group on-call taken", ChangeState.DONE)


def test_disabled_account_is_answered_when_it_is_closed_and_all_sessions_have_ended() -> None:
    changes = seen(
        [entra(10, "user-disabled")],
        [
            created(ADA_AT_GATEWAY, "on-call", "platform"),
            opened(5, ADA_AT_GATEWAY, "orders"),
            opened(5, ADA_AT_GATEWAY, "payments"),
            written(10.1, ADA_AT_GATEWAY, status="inactive"),
            closed(10.2, ADA_AT_GATEWAY, "orders"),
            closed(10.3, ADA_AT_GATEWAY, "payments"),
        ],
    )

    assert told(changes.all[0], 11) == ("Ada Byron disabled", "2 sessions ended, account closed", ChangeState.DONE)
    assert [round(one) for one in changes.latencies_ms()] == [300]


def test_closed_account_with_a_session_still_running_keeps_the_row_open() -> None:
    changes = seen(
        [entra(10, "user-disabled")],
        [
            created(ADA_AT_GATEWAY),
            opened(5, ADA_AT_GATEWAY, "orders"),
            written(10.1, ADA_AT_GATEWAY, status="inactive"),
        ],
    )

    assert told(changes.all[0], 11)[1:] == ("account closed, waiting for the gateway", ChangeState.OPEN)


def test_deletion_after_the_account_was_closed_needs_nothing() -> None:
    changes = seen(
        [entra(10, "user-disabled"), entra(20, "user-deleted")],
        [created(ADA_AT_GATEWAY, "on-call"), written(10.1, ADA_AT_GATEWAY, status="inactive")],
    )

    assert told(changes.all[1], 21) == ("Ada Byron deleted", "closed at the gateway already", ChangeState.QUIET)
    assert len(changes.latencies_ms()) == 1


def test_removal_with_a_second_path_names_the_group_that_keeps_access() -> None:
    nested = replace(PICTURE, members={ON_CALL: frozenset({LEADS}), LEADS: frozenset({ADA})})

    changes = seen([entra(10, "member-removed", group=ON_CALL)], [created(ADA_AT_GATEWAY, "on-call")], nested)

    assert told(changes.all[0], 11)[1:] == ("access stays, through leads", ChangeState.QUIET)


def test_removal_from_a_nested_group_takes_what_the_outer_group_stands_for() -> None:
    before = replace(PICTURE, members={ON_CALL: frozenset({LEADS}), LEADS: frozenset({ADA})})
    after = replace(PICTURE, members={ON_CALL: frozenset({LEADS}), LEADS: frozenset()})
    changes = seen([], [created(ADA_AT_GATEWAY, "on-call")], before)

    changes.observe([entra(10, "member-removed", group=LEADS)], [], after)
    waiting = changes.all[0].state(10.1)
    changes.observe([], [written(10.2, ADA_AT_GATEWAY)], after)

    assert waiting is ChangeState.OPEN
    assert told(changes.all[0], 11) == ("Ada Byron removed from leads", "group on-call taken", ChangeState.DONE)


def test_removing_a_whole_group_waits_for_each_person_in_it_who_has_no_other_path() -> None:
    leads = replace(PICTURE, members={ON_CALL: frozenset({BOB}), LEADS: frozenset({ADA, BOB})})
    changes = seen(
        [entra(10, "member-removed", LEADS, ON_CALL, of="group")],
        [created(ADA_AT_GATEWAY, "on-call"), created(BOB_AT_GATEWAY, "on-call")],
        leads,
    )
    row = changes.all[0]

    pending = set(row.pending)
    changes.observe([], [written(10.2, ADA_AT_GATEWAY)], leads)

    assert pending == {ADA_AT_GATEWAY}
    assert told(row, 11) == ("leads removed from on-call", "group on-call taken", ChangeState.DONE)


def test_restore_is_open_until_what_was_taken_is_back() -> None:
    changes = seen(
        [entra(10, "user-disabled"), entra(20, "user-enabled")],
        [created(ADA_AT_GATEWAY, "on-call"), written(10.1, ADA_AT_GATEWAY, status="inactive")],
    )
    row = changes.all[1]

    waiting = row.state(30)
    changes.observe([], [written(81, ADA_AT_GATEWAY, "on-call")], PICTURE)

    assert waiting is ChangeState.OPEN
    assert told(row, 90) == (
        "Ada Byron enabled again",
        "account open again, group on-call given back",
        ChangeState.DONE,
    )
    assert duration(row.latency_ms or 0) == "61 s"


def test_group_that_was_taken_is_waited_for_when_the_membership_is_back() -> None:
    changes = seen(
        [entra(10, "member-removed", group=ON_CALL), entra(20, "member-added", group=ON_CALL)],
        [created(ADA_AT_GATEWAY, "on-call"), written(10.1, ADA_AT_GATEWAY)],
    )
    row = changes.all[1]

    waiting = row.state(70)
    changes.observe([], [written(81, ADA_AT_GATEWAY, "on-call")], PICTURE)

    assert waiting is ChangeState.OPEN
    assert told(row, 82)[1:] == ("group on-call given back", ChangeState.DONE)


def test_new_membership_has_nothing_to_give_back() -> None:
    changes = seen([entra(10, "member-added", group=ON_CALL)], [created(ADA_AT_GATEWAY, "platform")])

    assert told(changes.all[0], 11)[1:] == ("nothing to give back", ChangeState.QUIET)


def test_memberships_that_belong_to_the_making_of_a_group_open_no_row() -> None:
    events = [entra(10, "group-created", None, ON_CALL, of="group"), entra(10.1, "member-added", group=ON_CALL)]

    changes = seen(events, [created(ADA_AT_GATEWAY, "on-call")])

    assert changes.all == []


def test_effect_closes_the_row_it_is_about_and_no_other() -> None:
    changes = seen(
        [entra(10, "member-removed", group=ON_CALL), entra(10.01, "member-removed", group=PLATFORM)],
        [created(ADA_AT_GATEWAY, "on-call", "platform"), written(10.1, ADA_AT_GATEWAY, "on-call")],
    )

    on_call, platform = changes.all
    assert told(on_call, 11)[1:] == ("waiting for the gateway", ChangeState.OPEN)
    assert told(platform, 11)[1:] == ("group platform taken", ChangeState.DONE)


def test_effect_before_the_change_answers_nothing_although_it_is_read_later() -> None:
    changes = seen([entra(10, "member-removed", group=ON_CALL)], [created(ADA_AT_GATEWAY, "on-call", "platform")])

    changes.observe([], [written(9.9, ADA_AT_GATEWAY, "on-call")], PICTURE)

    assert told(changes.all[0], 11)[1:] == ("waiting for the gateway", ChangeState.OPEN)


def test_session_that_its_client_closed_is_not_counted_as_ended() -> None:
    changes = seen(
        [entra(10, "user-disabled")],
        [
            created(ADA_AT_GATEWAY),
            opened(5, ADA_AT_GATEWAY, "orders"),
            written(10.1, ADA_AT_GATEWAY, status="inactive"),
            closed(12, ADA_AT_GATEWAY, "orders", "client disconnected"),
        ],
    )

    assert told(changes.all[0], 13)[1:] == ("account closed", ChangeState.DONE)
    assert round(changes.all[0].latency_ms or 0) == 100


def test_whole_account_that_is_still_let_in_becomes_overdue_and_is_reported() -> None:
    picture = replace(PICTURE, off=frozenset({ADA}))
    changes = seen([entra(10, "user-disabled")], [created(ADA_AT_GATEWAY, "on-call")], picture)

    early, late = changes.still_let_in(39), changes.still_let_in(41)

    assert (early, late) == ([], changes.all)
    assert told(changes.all[0], 41)[1:] == ("nothing changed at the gateway", ChangeState.OVERDUE)


def test_overdue_row_still_closes_with_its_real_latency() -> None:
    changes = seen([entra(10, "user-disabled")], [created(ADA_AT_GATEWAY)])

    changes.observe([], [written(130, ADA_AT_GATEWAY, status="inactive")], PICTURE)

    assert changes.all[0].state(140) is ChangeState.DONE
    assert changes.latencies_ms() == [120_000]


def test_break_glass_identity_keeps_access_and_no_row_waits_for_it() -> None:
    picture = replace(PICTURE, off=frozenset({ADA}), break_glass=frozenset({ADA}))

    changes = seen([entra(10, "user-disabled")], [created(ADA_AT_GATEWAY, "admin")], picture)

    assert changes.all[0].state(99) is ChangeState.QUIET
    assert changes.still_let_in(99) == []


def test_disabled_blueprint_waits_for_all_its_agents() -> None:
    picture = replace(PICTURE, names={"bp": "blueprint"}, agents_of={"bp": frozenset({ADA, BOB})})
    changes = seen(
        [entra(10, "application-disabled", "bp", of="agentIdentityBlueprint")],
        [created(ADA_AT_GATEWAY), created(BOB_AT_GATEWAY), written(10.1, ADA_AT_GATEWAY, status="inactive")],
        picture,
    )

    waiting = changes.all[0].state(10.2)
    changes.observe([], [written(10.3, BOB_AT_GATEWAY, status="inactive")], picture)

    assert waiting is ChangeState.OPEN
    assert told(changes.all[0], 11) == ("blueprint disabled", "2 accounts closed", ChangeState.DONE)


def test_principal_without_an_identity_at_the_gateway_needs_nothing() -> None:
    changes = seen([entra(10, "user-disabled", "stranger")], [])

    assert told(changes.all[0], 11)[1:] == ("no identity at the gateway", ChangeState.QUIET)


def test_percentiles_are_taken_by_nearest_rank() -> None:
    latencies = [float(number) for number in range(1, 101)]

    assert [percentile(latencies, 50), percentile(latencies, 99), percentile([7.0], 99)] == [50.0, 99.0, 7.0]


@given(st.lists(st.sampled_from([("payments", "killed"), ("orders", "killed")]), unique=True), st.integers(0, 3))
def test_where_the_logs_are_cut_does_not_change_the_outcome(killed: list[tuple[str, str]], cut: int) -> None:
    gateway = [
        created(ADA_AT_GATEWAY, "on-call", "platform"),
        opened(5, ADA_AT_GATEWAY, "payments"),
        opened(5, ADA_AT_GATEWAY, "orders"),
        written(10.1, ADA_AT_GATEWAY, status="inactive"),
        *(closed(10.2 + index / 10, ADA_AT_GATEWAY, *one) for index, one in enumerate(killed)),
    ]
    whole = seen([entra(10, "user-disabled")], gateway)
    parts = seen([entra(10, "user-disabled")], gateway[: 3 + cut])

    parts.observe([], gateway[3 + cut :], PICTURE)

    assert [told(one, 11) for one in parts.all] == [told(one, 11) for one in whole.all]
    assert parts.latencies_ms() == whole.latencies_ms()
