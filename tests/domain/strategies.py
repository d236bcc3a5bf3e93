"""Arbitrary identities, policies, losses and ledgers: few names, so that they meet each other often."""

from hypothesis import strategies as st

from shared.domain.gateway import GatewayIdentity, Holdings, IdentityKind, IdentityRef, Review, ReviewType, Session
from shared.domain.ledger import Taken, TakenKind
from shared.domain.plan import Circumstances, Escalation, Guards, Loss
from shared.domain.reach import AccessPolicy, ApprovalRule
from tests.domain.samples import NOW, OTHER_TEAM, TEAM, later

GROUPS = ("admin", "auditor", "sre", "dev", "sec")
CONNECTIONS = ("pg", "web", "ssh")
ATTRIBUTES = ("prod", "pii")

groups = st.frozensets(st.sampled_from(GROUPS))
connections = st.frozensets(st.sampled_from(CONNECTIONS))
attributes = st.frozensets(st.sampled_from(ATTRIBUTES))
moments = st.integers(-100, 100).map(later)

rules = st.builds(ApprovalRule, connections, attributes, groups, groups)
policies = st.builds(
    AccessPolicy,
    enforced=st.booleans(),
    connections=st.just(frozenset(CONNECTIONS)),
    groups_of_connection=st.dictionaries(st.sampled_from(CONNECTIONS), groups),
    groups_of_attribute=st.dictionaries(st.sampled_from(ATTRIBUTES), groups),
    attributes_of_connection=st.dictionaries(st.sampled_from(CONNECTIONS), attributes),
    reviewed_connections=connections,
    rules=st.lists(rules, max_size=3).map(tuple),
)

account_refs = st.sampled_from(
    [IdentityRef(kind, key) for kind in (IdentityKind.USER, IdentityKind.SERVICE_ACCOUNT) for key in ("s-1", "s-2")]
)
accounts = st.builds(
    GatewayIdentity,
    account_refs,
    st.just("s-1"),
    st.just("Ada"),
    st.sampled_from(["active", "inactive", "invited", "reviewing"]),
    groups,
)
keys = st.builds(
    GatewayIdentity,
    st.sampled_from([IdentityRef(IdentityKind.API_KEY, "k-1"), IdentityRef(IdentityKind.AI_AGENT, "k-2")]),
    st.just("k-1"),
    st.just("worker"),
    st.sampled_from(["active", "revoked"]),
    groups,
)


def _machine(connections: frozenset[str], attributes: frozenset[str]) -> GatewayIdentity:
    status = "active" if connections or attributes else "inactive"
    ref = IdentityRef(IdentityKind.MACHINE_IDENTITY, "etl")
    return GatewayIdentity(ref, "mi-1", "etl", status, connections=connections, attributes=attributes)


machines = st.builds(_machine, connections, attributes)
identities = accounts | keys | machines

sessions = st.builds(Session, st.uuids().map(str), st.sampled_from(CONNECTIONS))
reviews = st.builds(
    Review,
    st.uuids().map(str),
    st.uuids().map(str),
    st.sampled_from(CONNECTIONS),
    st.sampled_from(ReviewType),
    st.booleans(),
    st.none() | moments,
)
holdings = st.builds(Holdings, st.lists(sessions, max_size=4).map(tuple), st.lists(reviews, max_size=4).map(tuple))

needs = st.dictionaries(
    st.sampled_from([*GROUPS, *CONNECTIONS]), st.frozensets(st.sampled_from([TEAM, OTHER_TEAM]), min_size=1)
)
losses = st.builds(
    Loss,
    everything=st.booleans(),
    grants=groups | connections,
    needs=needs,
    before=groups,
    promised=connections,
    confirmed=st.booleans(),
)
guards = st.builds(
    Guards,
    break_glass=st.booleans(),
    active_admins=st.frozensets(account_refs),
    own_subject=st.sampled_from(["", "s-1", "k-1"]),
    escalation=st.sampled_from(Escalation),
)
circumstances = st.builds(Circumstances, policies, guards, st.just(NOW))

taken = st.builds(
    Taken,
    account_refs,
    st.sampled_from(TakenKind),
    st.sampled_from(GROUPS),
    moments,
    st.frozensets(st.frozensets(st.sampled_from([TEAM, OTHER_TEAM]), min_size=1)),
    st.booleans(),
)
