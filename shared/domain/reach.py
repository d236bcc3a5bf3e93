"""Reach: which connections a set of groups opens at the gateway, and which of them ask for approval first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """An access request rule: whose connections it covers and whom it asks for approval."""

    connections: frozenset[str]
    attributes: frozenset[str]
    approval_required_groups: frozenset[str] = frozenset()
    skip_review_groups: frozenset[str] = frozenset()
    reviewer_groups: frozenset[str] = frozenset()

    def asks(self, groups: frozenset[str]) -> bool:
        """Whether members of these groups need a review. The gateway looks at the skip list only without the other."""
        if self.approval_required_groups:
            return bool(groups & self.approval_required_groups)
        return not groups & self.skip_review_groups


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The gateway's access control, as read from its plugin, attributes, connections and rules.

    `enforced` is false when access control is not installed: then everybody reaches everything.
    """

    enforced: bool
    connections: frozenset[str] = frozenset()
    groups_of_connection: Mapping[str, frozenset[str]] = field(default_factory=dict)
    groups_of_attribute: Mapping[str, frozenset[str]] = field(default_factory=dict)
    attributes_of_connection: Mapping[str, frozenset[str]] = field(default_factory=dict)
    reviewed_connections: frozenset[str] = frozenset()
    rules: tuple[ApprovalRule, ...] = ()
    admin_group: str = "admin"
    auditor_group: str = "auditor"
    reviewers_of_connection: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def reachable(self, groups: Iterable[str]) -> frozenset[str]:
        """The connections that an active identity with these groups can open."""
        held = frozenset(groups)
        if not self.enforced or held & {self.admin_group, self.auditor_group}:
            return self.connections
        return frozenset(name for name in self.connections if held & self._openers(name))

    def needs_approval(self, groups: Iterable[str], connection: str) -> bool:
        """Whether opening this connection with these groups waits for a review."""
        rule = self._rule_for(connection)
        if rule is None:
            return connection in self.reviewed_connections
        return rule.asks(frozenset(groups))

    def approvers(self, connection: str) -> frozenset[str]:
        """The reviewer groups that a review of this connection asks; none where it is opened without one."""
        rule = self._rule_for(connection)
        return self.reviewers_of_connection.get(connection, frozenset()) if rule is None else rule.reviewer_groups

    def _openers(self, connection: str) -> frozenset[str]:
        direct = self.groups_of_connection.get(connection, frozenset())
        attributes = self.attributes_of_connection.get(connection, frozenset())
        return direct.union(*(self.groups_of_attribute.get(name, frozenset()) for name in attributes))

    def _rule_for(self, connection: str) -> ApprovalRule | None:
        attributes = self.attributes_of_connection.get(connection, frozenset())
        by_attribute = next((rule for rule in self.rules if rule.attributes & attributes), None)
        return by_attribute or next((rule for rule in self.rules if connection in rule.connections), None)
