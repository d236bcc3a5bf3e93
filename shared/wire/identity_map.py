"""`identity-map.yaml`: checked against its schema; every error names the file, the line and the fix."""

from collections.abc import Iterator

from pydantic import Field, field_validator, model_validator

from shared.domain.gateway import IdentityKind, IdentityRef
from shared.domain.identity_map import GroupMapping, IdentityMap
from shared.wire.graph_notifications import ObjectId
from shared.wire.yaml_document import Name, Strict, YamlDocument


class _Group(Strict):
    entra_group: Name = Field(alias="entra-group")
    gateway_group: Name | None = Field(default=None, alias="gateway-group")
    connection: Name | None = None
    scope: Name | None = None
    record: bool = False


class _GatewayIdentity(Strict):
    service_account: Name | None = Field(default=None, alias="service-account")
    ai_agent: Name | None = Field(default=None, alias="ai-agent")
    api_key: Name | None = Field(default=None, alias="api-key")
    machine_identity: Name | None = Field(default=None, alias="machine-identity")

    @model_validator(mode="after")
    def _names_one(self) -> "_GatewayIdentity":
        if not list(self.refs()):
            raise ValueError("name at least one of service-account, ai-agent, api-key, machine-identity")
        return self

    def refs(self) -> Iterator[IdentityRef]:
        for kind in IdentityKind:
            key = getattr(self, kind.replace("-", "_"), None)
            if key is not None:
                yield IdentityRef(kind, key)


class _Agent(Strict):
    entra: ObjectId
    gateway: _GatewayIdentity


class _Document(Strict):
    groups: list[_Group] = Field(default=[], alias="identity-map")
    agents: list[_Agent] = Field(default=[])
    break_glass: list[Name] = Field(default=[], alias="break-glass")

    @field_validator("agents")
    @classmethod
    def _ties_once(cls, agents: list[_Agent]) -> list[_Agent]:
        refs = [ref for agent in agents for ref in agent.gateway.refs()]
        twice = sorted({str(ref) for ref in refs if refs.count(ref) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is tied to two principals; keep one")
        return agents


_FIXES = {
    "string_pattern_mismatch": "write the object id of a service principal or agent identity, such as "
    "6d1c0000-0000-4000-8000-000000000001",
}


def parse_identity_map(text: str, file: str) -> IdentityMap:
    """The operator's map.

    Raises:
        SettingsError: naming file, line, what is wrong and the fix.
    """
    return _domain(YamlDocument.parse(text, file, "docs/identity-map.md").checked(_Document, _FIXES))


def _domain(document: _Document) -> IdentityMap:
    agents: dict[str, tuple[IdentityRef, ...]] = {}
    for agent in document.agents:
        agents[agent.entra] = (*agents.get(agent.entra, ()), *agent.gateway.refs())
    groups = (
        GroupMapping(entry.entra_group, entry.gateway_group, entry.connection, entry.scope, entry.record)
        for entry in document.groups
    )
    return IdentityMap(tuple(groups), agents, frozenset(name.casefold() for name in document.break_glass))
