"""`identity-map.yaml`: checked against its schema; every error names the file, the line and the fix."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from shared.domain.gateway import IdentityKind, IdentityRef
from shared.domain.identity_map import GroupMapping, IdentityMap
from shared.errors import SettingsError
from shared.wire.graph_notifications import ObjectId

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=180)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Group(_Strict):
    entra_group: Name = Field(alias="entra-group")
    gateway_group: Name | None = Field(default=None, alias="gateway-group")
    connection: Name | None = None
    scope: Name | None = None
    record: bool = False


class _GatewayIdentity(_Strict):
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


class _Agent(_Strict):
    entra: ObjectId
    gateway: _GatewayIdentity


class _Document(_Strict):
    groups: list[_Group] = Field(default=[], alias="identity-map")
    agents: list[_Agent] = []
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
    "extra_forbidden": "remove this key, or correct its spelling",
    "missing": "add this key",
    "string_type": "write a text here; quote it if it looks like a number",
    "string_pattern_mismatch": "write the object id of a service principal or agent identity, such as "
    "6d1c0000-0000-4000-8000-000000000001",
    "string_too_short": "write a name here",
    "string_too_long": "shorten it to 180 characters",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "list_type": "write a list: lines that begin with '- '",
    "model_type": "write keys and values here",
    "invalid_key": "quote this key, or correct it",
}


def parse_identity_map(text: str, file: str) -> IdentityMap:
    """The operator's map.

    Raises:
        SettingsError: naming file, line, what is wrong and the fix.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(f"{file}, line {line}: not YAML ({error.problem}); check indentation and quotes") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SettingsError(f"{file}, line {line}: not YAML ({error.reason}); remove that character") from error
    try:
        document = _Document.model_validate(content if content is not None else {})
    except ValidationError as error:
        raise SettingsError("\n".join(_sentences(error, root, file))) from error
    twice = [f"{file}, line {key.start_mark.line + 1}: {key.value}: written twice; keep one" for key in _repeated(root)]
    if twice:
        raise SettingsError("\n".join(twice))
    return _domain(document)


def _domain(document: _Document) -> IdentityMap:
    agents: dict[str, tuple[IdentityRef, ...]] = {}
    for agent in document.agents:
        agents[agent.entra] = (*agents.get(agent.entra, ()), *agent.gateway.refs())
    groups = (
        GroupMapping(entry.entra_group, entry.gateway_group, entry.connection, entry.scope, entry.record)
        for entry in document.groups
    )
    return IdentityMap(tuple(groups), agents, frozenset(name.casefold() for name in document.break_glass))


def _sentences(error: ValidationError, root: yaml.Node | None, file: str) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        place = ".".join(str(step) for step in problem["loc"]) or "the document"
        fix = _FIXES.get(problem["type"], "see docs/identity-map.md")
        yield f"{file}, line {_line(root, problem['loc'])}: {place}: {problem['msg']}; {fix}"


def _repeated(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """Keys that their mapping has already: YAML itself would quietly keep the last."""
    if isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated(value)
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value]
        for number, (key, value) in enumerate(node.value):
            if key.value in keys[:number]:
                yield key
            yield from _repeated(value)


def _line(node: yaml.Node | None, path: tuple[int | str, ...]) -> int:
    """The line of the deepest part of the path that the document has."""
    line = node.start_mark.line + 1 if node is not None else 1
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        line, node = found
    return line


def _child(node: yaml.Node | None, step: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    if isinstance(node, yaml.MappingNode):
        keys: Mapping[Any, tuple[yaml.Node, yaml.Node]] = {key.value: (key, value) for key, value in node.value}
        if step in keys:
            key, value = keys[step]
            return key.start_mark.line + 1, value
    return None
