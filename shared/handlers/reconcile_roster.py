"""Reconcile: compare everybody at the gateway with Entra, whatever messages were lost; and learn who is new."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.decision import Observation, Verdict, decide
from shared.domain.gateway import IdentityKind, Roster
from shared.domain.identity_map import IdentityMap, is_object_id, join
from shared.domain.ledger import needed_groups
from shared.domain.principals import AccountState, Principal, PrincipalChange, PrincipalKind, Source
from shared.errors import RejectedError
from shared.handlers.hold_sweep import Sweep, send_or_hold
from shared.handlers.identify_principal import recognisable, resolve_map
from shared.ports import Ports, Rules


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a reconcile found: principals compared, of these to be looked at, and gateway users nobody could place."""

    compared: int
    looks: int
    unmatched: int


async def reconcile_roster(ports: Ports, rules: Rules) -> Reconciliation:
    """Everybody at the gateway has been compared with Entra, and differences are on the queue (or held).

    Raises:
        RejectedError: `empty-roster`: a gateway without anybody is an error, never a reason to do nothing quietly.
        RetryLaterError: Graph or the gateway did not answer.
    """
    roster = await ports.gateway.roster()
    if not roster.identities:
        raise RejectedError("empty-roster", "the gateway lists no identity at all")
    identity_map, _ = await resolve_map(ports, rules)
    _warn_of_names(identity_map, ports)
    known, ledgers = await _known(ports)
    learned, unmatched = await _learn(roster, identity_map, known, ports)
    principals = {**known, **learned}
    current = await ports.directory.describe_many(list(principals.values()))
    for principal_id, found in current.items():
        current_facts = recognisable(found, known.get(principal_id, principals[principal_id]), roster)
        if current_facts != known.get(principal_id):
            await ports.records.remember(current_facts)
    sweep = await _differences(principals, current, ledgers, (roster, identity_map), ports)
    await send_or_hold(sweep, ports, rules)
    return Reconciliation(len(principals), len(sweep.taking) + len(sweep.others), unmatched)


async def _known(ports: Ports) -> tuple[dict[str, Principal], dict[str, frozenset[str]]]:
    """Everybody we have met, and the Entra groups on which the return of what we took depends."""
    known: dict[str, Principal] = {}
    ledgers: dict[str, frozenset[str]] = {}
    async for record in ports.records.all():
        if record.facts is None:
            continue
        known[record.facts.principal_id] = record.facts
        if record.state is not None and record.state.ledger:
            ledgers[record.facts.principal_id] = needed_groups(record.state.ledger)
    return known, ledgers


async def _learn(
    roster: Roster, identity_map: IdentityMap, known: Mapping[str, Principal], ports: Ports
) -> tuple[dict[str, Principal], int]:
    """Who is new at the gateway, and how many gateway users Entra does not know or knows twice."""
    addresses = frozenset(email for principal in known.values() for email in principal.emails)
    found = await ports.directory.find_users(sorted(roster.users_by_email.keys() - addresses))
    learned = {users[0].principal_id: users[0] for users in found.values() if len(users) == 1}
    unmatched = sorted(email for email, users in found.items() if len(users) != 1)
    if unmatched:
        ports.alerts.raise_alert("unmatched-gateway-users", count=len(unmatched))
    agents = await _learn_agents(roster, identity_map, known, ports)
    return learned | agents, len(unmatched)


async def _learn_agents(
    roster: Roster, identity_map: IdentityMap, known: Mapping[str, Principal], ports: Ports
) -> dict[str, Principal]:
    """New service principals. One that Entra never heard of is left alone, unless the map says whose it is."""
    subjects = {i.ref.key.lower() for i in roster.identities if i.ref.kind is IdentityKind.SERVICE_ACCOUNT}
    ids = {*filter(is_object_id, subjects), *identity_map.agents} - known.keys() - {roster.own_subject.lower()}
    strangers = [Principal(id_, PrincipalKind.SERVICE_PRINCIPAL) for id_ in sorted(ids)]
    found = dict(await ports.directory.describe_many(strangers))
    for id_, principal in list(found.items()):
        if principal.state is AccountState.DELETED and id_ not in identity_map.agents:
            binned = await ports.directory.describe(id_, PrincipalKind.SERVICE_PRINCIPAL)
            if binned is None:
                del found[id_]
                ports.alerts.raise_alert("unmatched-service-account", principal_id=id_)
    return found


async def _differences(
    principals: Mapping[str, Principal],
    current: Mapping[str, Principal],
    ledgers: Mapping[str, frozenset[str]],
    gateway: tuple[Roster, IdentityMap],
    ports: Ports,
) -> Sweep:
    """Looks at those who hold what Entra denies, and at those who wait for something to come back."""
    held = {id_: _held(principal, *gateway, ports) for id_, principal in principals.items()}
    asked = {id_: groups for id_, groups in held.items() if groups and not current[id_].state.is_shut}
    memberships = await ports.directory.memberships_of_many(asked)
    addresses = frozenset(email for p in current.values() if not p.state.is_shut for email in p.emails)
    taking: list[PrincipalChange] = []
    others: list[PrincipalChange] = []
    correlation_id, now = ports.clock.new_id(), ports.clock.now()
    for principal_id, principal in current.items():
        change = PrincipalChange(principal_id, Source.RECONCILE, now, correlation_id, principal.kind)
        seen = Observation(principal.state, transitive=memberships.get(principal_id, frozenset()))
        groups = held[principal_id]
        loses = groups is not None and decide(change, seen, groups).verdict is not Verdict.KEEP
        if principal.state is AccountState.DELETED and principals[principal_id].emails & addresses:
            # Somebody else has the address now: what is open under it belongs to them.
            loses = False
        if loses and _is_open(principals[principal_id], *gateway):
            taking.append(change)
        elif loses or principal_id in ledgers:
            others.append(change)
    return Sweep("reconcile", taking, others, len(taking))


def _held(principal: Principal, roster: Roster, identity_map: IdentityMap, ports: Ports) -> frozenset[str] | None:
    """The governed Entra groups it holds at the gateway; `None` when it has no place there or no clear one."""
    try:
        identities = join(principal, roster, identity_map)
    except RejectedError as error:
        ports.alerts.raise_alert(error.reason, principal_id=principal.principal_id)
        return None
    if not identities:
        return None
    governed = (identity_map.governed(identity) for identity in identities)
    return frozenset(group for grants in governed for groups in grants.values() for group in groups)


def _is_open(principal: Principal, roster: Roster, identity_map: IdentityMap) -> bool:
    return any(identity.is_open for identity in join(principal, roster, identity_map))


def _warn_of_names(identity_map: IdentityMap, ports: Ports) -> None:
    missing = sorted(identity_map.display_names - identity_map.group_ids.keys())
    if missing:
        ports.alerts.raise_alert("unresolved-entra-groups", names=missing, fix="use object ids in the identity map")
