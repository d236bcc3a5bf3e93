"""Who reaches what and who needs a review first, decided as the gateway's query and interceptor decide it."""

from dataclasses import dataclass

from sandbox.gateway.records import Connection, Identity, Json, Review
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import now

DEFAULT_MAX_SECONDS = 48 * 3600


@dataclass(frozen=True, slots=True)
class Gate:
    """The review a connection asks for: by rule, or by the reviewers named on the connection."""

    reviewers: list[str]
    min_approvals: int | None
    force_groups: list[str] | None
    rule_name: str | None = None
    max_seconds: int = DEFAULT_MAX_SECONDS


def reaches(state: GatewayState, identity: Identity, connection: Connection) -> bool:
    """Whether the connection exists for this identity."""
    if identity.kind == "machine-identity":
        return _machine_reaches(state, identity, connection)
    plugin = state.plugins.get("access_control")
    if plugin is None or state.is_admin(identity) or state.is_auditor(identity):
        return True
    granted = {group for row in plugin["connections"] if row["id"] == connection.id for group in row["config"]}
    for attribute in attributes_of(state, connection):
        granted.update(attribute["access_control_group_names"])
    return bool(granted.intersection(identity.groups))


def attributes_of(state: GatewayState, connection: Connection) -> list[Json]:
    """The attributes attached to a connection."""
    return [row for row in state.attributes.values() if connection.name in row["connection_names"]]


def rule_for(state: GatewayState, connection: Connection, verb: str) -> Json | None:
    """The access request rule that covers the connection: an attribute's first, then one by name."""
    rules = [rule for rule in state.rules.values() if verb in rule["access_type"].split("_")]
    attached = attributes_of(state, connection)
    for rule in rules:
        if any(
            row["name"] in rule["attributes"] or rule["name"] in row["access_request_rule_names"] for row in attached
        ):
            return rule
    return next((rule for rule in rules if connection.name in rule["connection_names"]), None)


def gate_for(state: GatewayState, identity: Identity, connection: Connection, verb: str) -> Gate | None:
    """The review this identity needs before a stream (`jit`) or a command opens; none when it may pass without."""
    if identity.kind == "machine-identity":
        return None
    rule = rule_for(state, connection, verb)
    if rule is None:
        return gate_by_reviewers(connection)
    return gate_by_rule(rule) if _rule_applies(rule, identity) else None


def gate_by_rule(rule: Json) -> Gate:
    """The review a rule asks for."""
    return Gate(
        reviewers=list(rule["reviewers_groups"]),
        min_approvals=None if rule["all_groups_must_approve"] else rule["min_approvals"],
        force_groups=rule["force_approval_groups"],
        rule_name=rule["name"],
        max_seconds=rule["access_max_duration"] or DEFAULT_MAX_SECONDS,
    )


def gate_by_reviewers(connection: Connection) -> Gate | None:
    """The review the connection's own reviewers give, if it names any."""
    reviewers = connection.names("reviewers")
    return Gate(reviewers, connection.shown.get("min_review_approvals"), None) if reviewers else None


def standing_approval(state: GatewayState, identity: Identity, connection: Connection) -> Review | None:
    """The newest approved, unexpired just-in-time review of this identity for this connection."""
    moment = now()
    approved = [
        review
        for review in state.reviews.values()
        if (review.owner, review.connection, review.type, review.status)
        == (identity.subject, connection.name, "jit", "APPROVED")
        and review.revoke_at is not None
        and review.revoke_at > moment
    ]
    return max(approved, key=lambda review: review.created_at, default=None)


def _machine_reaches(state: GatewayState, identity: Identity, connection: Connection) -> bool:
    machine = state.machine_identities[identity.name]
    attached = {row["name"] for row in attributes_of(state, connection)}
    return connection.name in machine.connection_names or bool(attached.intersection(machine.attributes))


def _rule_applies(rule: Json, identity: Identity) -> bool:
    if rule["approval_required_groups"]:
        return bool(set(rule["approval_required_groups"]).intersection(identity.groups))
    return not set(rule["skip_review_groups"]).intersection(identity.groups)
