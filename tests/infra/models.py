"""Which properties a resource has, as Azure's own management libraries say."""

import functools
import importlib
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any, ClassVar

from tests.infra.bicep import Choice, Expression

# The model of each resource type in use, and the version that the infrastructure asks for: one that every cloud has.
MODELS = {
    "Microsoft.Authorization/roleAssignments@2022-04-01": "authorization.v2022_04_01:RoleAssignmentCreateParameters",
    "Microsoft.BotService/botServices@2022-09-15": "botservice:Bot",
    "Microsoft.BotService/botServices/channels@2022-09-15": "botservice:BotChannel",
    "Microsoft.Insights/actionGroups@2023-01-01": "monitor:ActionGroupResource",
    "Microsoft.Insights/components@2020-02-02": "applicationinsights.v2020_02_02:ApplicationInsightsComponent",
    "Microsoft.Insights/diagnosticSettings@2021-05-01-preview": ":DiagnosticSettings",
    "Microsoft.Insights/metricAlerts@2018-03-01": "monitor:MetricAlertResource",
    "Microsoft.Insights/scheduledQueryRules@2022-06-15": "monitor:ScheduledQueryRuleResource",
    "Microsoft.KeyVault/vaults@2023-07-01": "keyvault:VaultCreateOrUpdateParameters",
    "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31": "msi.v2024_11_30:Identity",
    "Microsoft.Network/networkSecurityGroups@2024-05-01": "network:NetworkSecurityGroup",
    "Microsoft.Network/privateDnsZones@2024-06-01": "privatedns:PrivateZone",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01": "privatedns:VirtualNetworkLink",
    "Microsoft.Network/privateEndpoints@2024-05-01": "network:PrivateEndpoint",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01": "network:PrivateDnsZoneGroup",
    "Microsoft.Network/virtualNetworks@2024-05-01": "network:VirtualNetwork",
    "Microsoft.Network/virtualNetworks/subnets@2024-05-01": "network:Subnet",
    "Microsoft.OperationalInsights/workspaces@2023-09-01": "loganalytics:Workspace",
    "Microsoft.ServiceBus/namespaces@2024-01-01": "servicebus:SBNamespace",
    "Microsoft.ServiceBus/namespaces/queues@2024-01-01": "servicebus:SBQueue",
    "Microsoft.Storage/storageAccounts@2024-01-01": "storage:StorageAccountCreateParameters",
    "Microsoft.Storage/storageAccounts/blobServices@2024-01-01": "storage:BlobServiceProperties",
    "Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01": "storage:BlobContainer",
    "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2024-01-01": (
        "storage:ImmutabilityPolicy"
    ),
    "Microsoft.Storage/storageAccounts/tableServices@2024-01-01": "storage:TableServiceProperties",
    "Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01": "storage:Table",
    "Microsoft.Web/serverfarms@2024-04-01": "web:AppServicePlan",
    "Microsoft.Web/sites@2024-04-01": "web:Site",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01": "web:CsmPublishingCredentialsPoliciesEntity",
    "Microsoft.Web/sites/config@2024-04-01 appsettings": "web:StringDictionary",
    "Microsoft.Web/sites/config@2024-04-01 authsettingsV2": "web:SiteAuthSettingsV2",
}
# Said of every resource by Bicep or Azure, and missing in models that are sent to an address which has them already.
ALWAYS = {"name", "scope", "parent", "dependsOn", "location", "tags"}


class DiagnosticSettings:
    """Written here, because the libraries have lost it: what we say of diagnostic settings."""

    _validation: ClassVar[dict[str, Any]] = {}
    _attribute_map: ClassVar[dict[str, Any]] = {
        "workspace_id": {"key": "properties.workspaceId", "type": "str"},
        "logs": {"key": "properties.logs", "type": "[DiagnosticLog]"},
    }


class DiagnosticLog:
    """One kind of log."""

    _validation: ClassVar[dict[str, Any]] = {}
    _attribute_map: ClassVar[dict[str, Any]] = {
        "category_group": {"key": "categoryGroup", "type": "str"},
        "enabled": {"key": "enabled", "type": "bool"},
    }


_PLAIN: dict[type, str] = {str: "str", int: "int", float: "float", bool: "bool", list: "array", dict: "object"}


def unknown_properties(target: str, body: dict[str, Any]) -> Iterator[str]:
    """What the resource's model does not know, cannot be told, or knows under another type."""
    named = f"{target} {body.get('name')}"
    model = MODELS.get(named, MODELS.get(target))
    if model is None:
        yield f"{target}: no model is known for this type and version"
        return
    library, _, name = model.partition(":")
    own = {key: value for key, value in body.items() if key not in ALWAYS}
    yield from _check(own, _Type(getattr(_models(library), name), _models(library)), target)


@functools.cache
def _models(library: str) -> Any:  # noqa: ANN401 - a module
    return importlib.import_module(f"azure.mgmt.{library}.models") if library else sys.modules[__name__]


class _Type:
    """A type as either generation of the libraries writes it: a class, a text such as `[Sku]`, or a callable."""

    def __init__(self, written: Any, module: Any) -> None:  # noqa: ANN401
        self.written = written
        self.module = module

    def fields(self) -> "dict[str, _Type | None] | None":
        """The properties by their names on the wire, `None` for those that only Azure sets; nothing: no model."""
        model: Any = self.written
        if isinstance(model, type) and issubclass(model, MutableMapping) and model is not dict:
            known: Any = model
            known({})  # its fields are read when the first one is made
            return {
                rest._rest_name: None if rest._visibility == ["read"] else _Type(rest._type, self.module)
                for rest in known._attr_to_rest_field.values()
            }
        if not hasattr(model, "_attribute_map"):
            return None
        fields: dict[str, _Type | None] = {}
        for attribute, how in model._attribute_map.items():
            names = how["key"].replace("\\.", "\0").split(".")
            is_fixed = model._validation.get(attribute, {}).get("readonly", False)
            leaf = None if is_fixed else _Type(how["type"], self.module)
            _put(fields, [name.replace("\0", ".") for name in names], leaf, self.module)
        return fields


class _Nested(_Type):
    """The properties that a flattened model keeps one level deeper on the wire."""

    def __init__(self, module: Any) -> None:  # noqa: ANN401
        super().__init__(None, module)
        self.inner: dict[str, _Type | None] = {}

    def fields(self) -> dict[str, _Type | None]:
        return self.inner


def _put(fields: dict[str, _Type | None], names: list[str], leaf: _Type | None, module: Any) -> None:  # noqa: ANN401
    if len(names) == 1:
        fields[names[0]] = leaf
        return
    nested = fields.setdefault(names[0], _Nested(module))
    if isinstance(nested, _Nested):
        _put(nested.inner, names[1:], leaf, module)


def _check(value: Any, type_: _Type | None, where: str) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, Choice):
        for one in value.values:
            yield from _check(one, type_, where)
    if value is None or isinstance(value, Expression):
        return
    if type_ is None:
        yield f"{where}: only Azure sets this"
        return
    kind, inner = _resolve(type_)
    if kind == "any":
        return
    given = _PLAIN[type(value)]
    if given != kind:
        yield f"{where}: {given} where {kind} is wanted"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _check(item, inner, f"{where}[{index}]")
    elif isinstance(value, dict):
        yield from _check_object(value, inner, where)


def _check_object(value: dict[str, Any], type_: _Type | None, where: str) -> Iterator[str]:
    if type_ is not None and type_.written is not None:
        type_ = _Type(_told_apart(type_.written, value, type_.module), type_.module)
    fields = type_.fields() if type_ is not None else None
    for key, item in value.items():
        if fields is None:  # a dictionary: any key, one type
            yield from _check(item, type_, f"{where}.{key}")
        elif key not in fields:
            yield f"{where}.{key}: unknown"
        else:
            yield from _check(item, fields[key], f"{where}.{key}")


def _resolve(type_: _Type) -> tuple[str, _Type | None]:
    """`str`, `int`, `bool`, `array`, `object` or `any`, and what is inside."""
    written, module = type_.written, type_.module
    if isinstance(type_, _Nested):
        return "object", type_
    if isinstance(written, str):
        return _resolve_text(written, module)
    if isinstance(written, functools.partial):
        return _resolve_partial(written, module)
    if isinstance(written, type) and type_.fields() is not None:
        return "object", type_
    return (_PLAIN.get(written, "any"), None) if isinstance(written, type) else ("any", None)


def _resolve_text(written: str, module: Any) -> tuple[str, _Type | None]:  # noqa: ANN401
    if written.startswith("["):
        return "array", _Type(written[1:-1], module)
    if written.startswith("{"):
        return "object", _Type(written[1:-1], module)
    if written in ("str", "int", "bool"):
        return written, None
    model = getattr(module, written, None)
    return ("object", _Type(model, module)) if hasattr(model, "_attribute_map") else ("any", None)


def _resolve_partial(written: "functools.partial[Any]", module: Any) -> tuple[str, _Type | None]:  # noqa: ANN401
    how = written.func.__name__
    inner = written.args[0] if written.args else None
    if how == "_deserialize_with_optional":
        return _resolve(_Type(inner, module))
    if how == "_deserialize_sequence":
        return "array", _Type(inner, module)
    if how == "_deserialize_dict":
        return "object", _Type(inner, module)
    if how == "_deserialize_with_union":
        kinds = {_resolve(_Type(one, module))[0] for one in (inner or [])} - {"any"}
        return (kinds.pop(), None) if len(kinds) == 1 else ("any", None)
    if how == "_deserialize_model":
        return _resolve(_Type(inner, module))
    return _resolve(_Type(inner, module))


def _told_apart(model: Any, value: dict[str, Any], module: Any) -> Any:  # noqa: ANN401
    """The kind of a model that the value says it is, where kinds are told apart by a property."""
    kinds = dict(getattr(model, "__mapping__", None) or {})
    for names in (getattr(model, "_subtype_map", None) or {}).values():
        kinds |= {said: getattr(module, name) for said, name in names.items()}
    return next((kinds[said] for said in value.values() if isinstance(said, str) and said in kinds), model)
