"""Where findings are planted: objects that are healthy except for what their planter changes, and the ground truth."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.graph.posture.ids import planted_id
from sandbox.graph.posture.moments import Moments
from sandbox.graph.posture.samples import (
    APPLICATION,
    MICROSOFT_TENANT,
    NO_PUBLISHER,
    PARTNER_TENANT,
    PRINCIPAL,
    VERIFIED,
    certificate,
    secret,
)
from sandbox.tenant import TENANT_ID

Json = dict[str, Any]
ACTIVITIES = (
    "lastSignInActivity",
    "delegatedClientSignInActivity",
    "delegatedResourceSignInActivity",
    "applicationAuthenticationClientSignInActivity",
    "applicationAuthenticationResourceSignInActivity",
)
AS_CLIENT, AS_RESOURCE = ACTIVITIES[3], ACTIVITIES[4]
USED_TWO_DAYS_AGO: dict[str, float] = {ACTIVITIES[0]: 2, AS_CLIENT: 2}
BLUEPRINT_PRINCIPAL = "#microsoft.graph.agentIdentityBlueprintPrincipal"
OLD = 400
ALWAYS = ""
PROXY, SYNC, DEVICES = "CWAP_AuthSecret", "ConnectSyncProvisioning_server01", "CN=MS-Organization-P2P-Access [2026]"
RENEWED = frozenset({PROXY, SYNC, DEVICES})


@dataclass(frozen=True, slots=True)
class Planted:
    """One application: its registration and its principal, where it has them, and what findings about it name."""

    app_id: str
    application: Json | None
    principal: Json | None

    @property
    def object_id(self) -> str:
        """The registration's id, or else the principal's."""
        whole = self.application or self.principal or {}
        return str(whole["id"])

    @property
    def kind(self) -> str:
        """What findings about it call it."""
        if self.application is not None:
            return "application"
        is_agent = (self.principal or {}).get("@odata.type", "").endswith("agentIdentity")
        return "agent-identity" if is_agent else "service-principal"


@dataclass
class Garden:
    """Everything planted in one tenant; `prefix` tells copies of the same plant apart."""

    seed: int
    moments: Moments
    prefix: str = ""
    applications: dict[str, Json] = field(default_factory=dict)
    principals: dict[str, Json] = field(default_factory=dict)
    users: dict[str, Json] = field(default_factory=dict)
    groups: dict[str, Json] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    members: dict[str, list[str]] = field(default_factory=dict)
    owners: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    sponsors: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    federated: defaultdict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))
    certificates: dict[str, str] = field(default_factory=dict)
    activities: list[Json] = field(default_factory=list)
    credential_uses: list[Json] = field(default_factory=list)
    app_roles: list[Json] = field(default_factory=list)
    delegated: list[Json] = field(default_factory=list)
    directory_roles: list[Json] = field(default_factory=list)
    audits: list[Json] = field(default_factory=list)
    sign_ins: list[Json] = field(default_factory=list)
    registrations: dict[str, Json] = field(default_factory=dict)
    hosts: dict[str, list[str]] = field(default_factory=lambda: {"resolve": [], "doNotResolve": [], "private": []})
    people: list[str] = field(default_factory=list)
    resources: dict[str, str] = field(default_factory=dict)
    policies: list[Json] = field(default_factory=list)
    targets: dict[str, list[str]] = field(default_factory=dict)
    must_fail: list[Json] = field(default_factory=list)
    must_not_fail: list[Json] = field(default_factory=list)
    _secretive: set[str] = field(default_factory=set)

    def id(self, label: str) -> str:
        """The id of whatever has this label."""
        return planted_id(self.seed, self.prefix + label)

    def app(  # noqa: PLR0913 - one argument for each way in which a plant differs from a healthy one
        self,
        label: str,
        application: Json | None = None,
        principal: Json | None = None,
        *,
        used: dict[str, float] | None = USED_TWO_DAYS_AGO,
        created: float = OLD,
        owners: Sequence[str] | None = None,
        principal_owners: Sequence[str] | None = None,
    ) -> Planted:
        """An application of this tenant; `used` says how many days ago, by kind of activity, or `None` for no row."""
        app_id, name = self.id(f"{label}/app"), (application or {}).get("displayName", self.prefix + label)
        both = {"appId": app_id, "displayName": name, "createdDateTime": self.moments.ago(created)}
        made = APPLICATION | both | {"id": self.id(label)} | (application or {})
        twin = PRINCIPAL | both | {"id": self.id(f"{label}/principal"), "appDisplayName": name}
        twin |= {"servicePrincipalNames": [app_id], "signInAudience": made["signInAudience"]} | (principal or {})
        self.applications[made["id"]] = made
        self.principals[twin["id"]] = twin
        self.owners[made["id"]] = [*(self.two_people(label) if owners is None else owners)]
        of_principal = self.owners[made["id"]] if principal_owners is None else principal_owners
        self.owners[twin["id"]] = [*of_principal]
        self.note_use(app_id, used)
        return Planted(app_id, made, twin)

    def stranger(
        self,
        label: str,
        principal: Json | None = None,
        *,
        used: dict[str, float] | None = USED_TWO_DAYS_AGO,
        owners: Sequence[str] | None = None,
    ) -> Planted:
        """A service principal without registration here: another tenant's application, verified, unless changed."""
        app_id = (principal or {}).get("appId") or self.id(f"{label}/app")
        made = PRINCIPAL | {
            "id": self.id(label),
            "appId": app_id,
            "displayName": self.prefix + label,
            "appDisplayName": self.prefix + label,
            "servicePrincipalNames": [app_id],
            "createdDateTime": self.moments.ago(OLD),
            "appOwnerOrganizationId": PARTNER_TENANT,
            "signInAudience": "AzureADMultipleOrgs",
            "verifiedPublisher": VERIFIED,
        }
        made |= principal or {}
        self.principals[made["id"]] = made
        self.owners[made["id"]] = [*(self.two_people(label) if owners is None else owners)]
        self.note_use(app_id, used)
        return Planted(app_id, None, made)

    def microsofts(self, label: str, principal: Json | None = None, tenant: str = MICROSOFT_TENANT) -> Planted:
        """A service principal of an application that Microsoft owns; nobody here owns or uses it."""
        own: Json = {"appOwnerOrganizationId": tenant, "verifiedPublisher": NO_PUBLISHER}
        return self.stranger(label, own | (principal or {}), used=None, owners=())

    def managed_identity(self, label: str) -> Planted:
        """A user-assigned managed identity, which nobody owns and whose credentials nobody sees."""
        names = ["isExplicit=True", f"/subscriptions/0/userAssignedIdentities/{label}"]
        own: Json = {"servicePrincipalType": "ManagedIdentity", "alternativeNames": names, "tags": []}
        own |= {"appOwnerOrganizationId": TENANT_ID, "verifiedPublisher": NO_PUBLISHER}
        return self.stranger(label, own, used=None, owners=())

    def blueprint(
        self,
        label: str,
        sponsors: Sequence[str] | None = None,
        *,
        used: dict[str, float] | None = USED_TWO_DAYS_AGO,
    ) -> Planted:
        """An agent identity blueprint and its principal."""
        made = self.app(
            label,
            {"@odata.type": "#microsoft.graph.agentIdentityBlueprint"},
            {"@odata.type": BLUEPRINT_PRINCIPAL},
            used=used,
        )
        self.sponsors[made.object_id] = [*(self.people[:1] if sponsors is None else sponsors)]
        return made

    def agent(
        self,
        label: str,
        blueprint: Planted,
        *,
        sponsors: Sequence[str] | None = None,
        used: float | None = 2,
        created: float = OLD,
    ) -> Planted:
        """An agent identity of a blueprint, last used so many days ago."""
        object_id = self.id(label)
        own = {
            "@odata.type": "#microsoft.graph.agentIdentity",
            "id": object_id,
            "appId": object_id,
            "servicePrincipalType": "ServiceIdentity",
            "agentIdentityBlueprintId": blueprint.app_id,
            "appOwnerOrganizationId": TENANT_ID,
            "verifiedPublisher": NO_PUBLISHER,
            "createdDateTime": self.moments.ago(created),
        }
        row: dict[str, float] | None = None if used is None else {ACTIVITIES[0]: used, AS_CLIENT: used}
        made = self.stranger(label, own, used=row, owners=())
        self.sponsors[object_id] = [*(self.people[:1] if sponsors is None else sponsors)]
        if used is not None:
            self.note_sign_in(made, used, agent=True)
        return made

    def user(self, label: str, *, mfa: bool = True, gone: bool = False, **values: object) -> str:
        """A user's id; `gone` ones are still listed as owners and found nowhere else."""
        user_id, name = self.id(f"user/{label}"), f"{self.prefix}{label}"
        address = f"{name.replace(' ', '.')}@contoso.example"
        self.users[user_id] = {
            "id": user_id,
            "displayName": name,
            "userPrincipalName": address,
            "mail": address,
            "accountEnabled": True,
            "userType": "Member",
            "createdDateTime": self.moments.ago(OLD),
        } | values
        self.registrations[user_id] = {
            "id": user_id,
            "userPrincipalName": address,
            "userDisplayName": name,
            "userType": str(values.get("userType", "Member")).lower(),
            "isAdmin": False,
            "isMfaCapable": mfa,
            "isMfaRegistered": mfa,
            "isPasswordlessCapable": False,
            "methodsRegistered": ["microsoftAuthenticatorPush"] if mfa else [],
            "lastUpdatedDateTime": self.moments.ago(1),
        }
        if gone:
            self.gone.add(user_id)
            del self.registrations[user_id]
        return user_id

    def group(self, label: str, members: Sequence[str]) -> str:
        """A group's id."""
        group_id = self.id(f"group/{label}")
        self.groups[group_id] = {"id": group_id, "displayName": self.prefix + label, "securityEnabled": True}
        self.members[group_id] = [*members]
        return group_id

    def two_people(self, label: str) -> list[str]:
        """Two owners who are present, enabled and registered for MFA."""
        first = sum(label.encode()) % len(self.people)
        return [self.people[first], self.people[(first + 1) % len(self.people)]]

    def secret(  # noqa: PLR0913 - what differs between secrets
        self,
        owner: Planted,
        label: str,
        started: float,
        ends: float | None,
        *,
        name: str | None = "rotated by hand",
        used: float | None = 2,
        on_principal: bool = False,
    ) -> str:
        """The key id of a secret made so many days ago, ending so many days ahead, last used so many days ago."""
        made = secret(self._key(owner, label), self._ago(started), self._ahead(ends), name)
        if (
            not on_principal
            and (ends is None or ends > 0)
            and name not in RENEWED
            and owner.app_id not in self._secretive
        ):
            self._secretive.add(owner.app_id)
            self.guilty("C7", owner, "live secret")
        return self._hold(owner, "passwordCredentials", made, used, on_principal=on_principal)

    def certificate(  # noqa: PLR0913 - what differs between certificates
        self,
        owner: Planted,
        label: str,
        started: float,
        ends: float | None,
        *,
        name: str = "CN=contoso.example",
        thumbprint: str | None = ALWAYS,
        use: str = "Verify",
        der: str = "",
        used: float | None = 2,
        on_principal: bool = False,
    ) -> str:
        """The key id of a certificate; its own thumbprint unless one is given."""
        key_id = self._key(owner, label)
        mark = self.thumbprint(key_id) if thumbprint == ALWAYS else thumbprint
        made = certificate(key_id, self._ago(started), self._ahead(ends), mark, name=name, use=use)
        if der:
            self.certificates[key_id] = der
        return self._hold(owner, "keyCredentials", made, used, on_principal=on_principal)

    def thumbprint(self, label: str) -> str:
        """What `customKeyIdentifier` holds: the base64 of twenty bytes."""
        return self.id(f"thumbprint/{label}").replace("-", "")[:26].upper() + "A="

    def note_use(self, app_id: str, used: dict[str, float] | None) -> None:
        """A row of the sign-in report; an empty one holds only nulls."""
        if used is None:
            return
        row: Json = {"id": planted_id(self.seed, f"used/{app_id}"), "appId": app_id}
        row |= {name: self.moment(used.get(name)) for name in ACTIVITIES}
        self.activities.append(row)

    def moment(self, days: float | None) -> Json:
        """A sign-in activity so many days ago."""
        if days is None:
            return {"lastSignInDateTime": None, "lastSignInRequestId": None}
        return {"lastSignInDateTime": self.moments.ago(days), "lastSignInRequestId": planted_id(self.seed, f"r/{days}")}

    def note_sign_in(
        self, who: Planted, days: float, *, key_id: str = "", agent: bool = False, error_code: int = 0
    ) -> None:
        """A row of the sign-in log."""
        principal = who.principal or {}
        self.sign_ins.append(
            {
                "id": planted_id(self.seed, f"sign-in/{who.app_id}/{key_id}/{days}"),
                "createdDateTime": self.moments.ago(days),
                "appId": who.app_id,
                "appDisplayName": principal.get("displayName"),
                "servicePrincipalId": principal.get("id"),
                "servicePrincipalName": principal.get("displayName"),
                "servicePrincipalCredentialKeyId": key_id or None,
                "resourceId": "00000003-0000-0000-c000-000000000000",
                "resourceDisplayName": "Microsoft Graph",
                "signInEventTypes": ["servicePrincipal"],
                "ipAddress": "192.0.2.10",
                "isInteractive": False,
                "status": {"errorCode": error_code, "failureReason": "Other.", "additionalDetails": None},
                "agent": {"agentType": "AgentIdentity" if agent else "NotAgentic", "parentAppId": None},
                "userId": "",
            }
        )

    def federate(
        self,
        owner: Planted,
        label: str,
        issuer: str,
        subject: str | None = None,
        *,
        expression: str | None = None,
    ) -> str:
        """The name of a federated credential that trusts a subject, or what an expression matches."""
        language = {"value": expression, "languageVersion": 1} if expression is not None else None
        self.federated[owner.object_id].append(
            {
                "id": self.id(f"{owner.object_id}/fic/{label}"),
                "name": label,
                "issuer": issuer,
                "subject": subject,
                "description": None,
                "audiences": ["api://AzureADTokenExchange"],
                "claimsMatchingExpression": language,
            }
        )
        return label

    def grant_role(self, holder: Planted, resource_app_id: str, role_id: str) -> None:
        """An application permission at a resource."""
        principal = holder.principal or {}
        self.app_roles.append(
            {
                "id": self.id(f"{holder.app_id}/{role_id}"),
                "deletedDateTime": None,
                "appRoleId": role_id,
                "createdDateTime": self.moments.ago(100),
                "principalDisplayName": principal.get("displayName"),
                "principalId": principal.get("id"),
                "principalType": "ServicePrincipal",
                "resourceDisplayName": self.principals[self.resources[resource_app_id]]["displayName"],
                "resourceId": self.resources[resource_app_id],
            }
        )

    def grant_scopes(self, holder: Planted, scope: str, *, consent: str, resource_app_id: str) -> None:
        """A delegated permission, for everybody or for one person."""
        principal = holder.principal or {}
        self.delegated.append(
            {
                "id": self.id(f"{holder.app_id}/{scope}/{consent}"),
                "clientId": principal.get("id"),
                "consentType": consent,
                "principalId": None if consent == "AllPrincipals" else self.people[0],
                "resourceId": self.resources[resource_app_id],
                "scope": scope,
            }
        )

    def apply_policy(self, policy: Json, *targets: Json | None) -> None:
        """An app management policy of its own for these registrations or principals."""
        self.policies.append(policy)
        self.targets[policy["id"]] = [one["id"] for one in targets if one is not None]

    def give_directory_role(self, principal_id: str, definition_id: str) -> None:
        """A directory role over the whole tenant."""
        self.directory_roles.append(
            {
                "id": self.id(f"{principal_id}/{definition_id}"),
                "principalId": principal_id,
                "roleDefinitionId": definition_id,
                "directoryScopeId": "/",
            }
        )

    def guilty(
        self, check_id: str, what: Planted, shape: str, key_id: str = "", *, held: bool = False, **more: object
    ) -> None:
        """This object, or credential, has to be found; `held` says that it is the principal's credential."""
        self.must_fail.append(self._truth(check_id, what, key_id, held=held) | {"shape": shape} | more)

    def innocent(
        self, checks: str | Iterable[str], what: Planted, why: str, key_id: str = "", *, held: bool = False
    ) -> None:
        """These checks must not find this object, or credential; `held` says that it is the principal's credential."""
        for check_id in [checks] if isinstance(checks, str) else checks:
            self.must_not_fail.append(self._truth(check_id, what, key_id, held=held) | {"why": why})

    def _truth(self, check_id: str, what: Planted, key_id: str, *, held: bool) -> Json:
        principal_id = (what.principal or {}).get("id", "")
        return {
            "check_id": check_id,
            "object_kind": "service-principal" if held else what.kind,
            "object_id": principal_id if held else what.object_id,
            "key_id": key_id,
            "app_id": what.app_id,
            "principal_id": principal_id,
        }

    def _key(self, owner: Planted, label: str) -> str:
        return self.id(f"{owner.object_id}/key/{label}")

    def _hold(self, owner: Planted, name: str, made: Json, used: float | None, *, on_principal: bool) -> str:
        holder = (owner.principal if on_principal else owner.application) or {}
        holder[name] = [*holder.get(name, ()), made]
        key_id = str(made["keyId"])
        if used is not None:
            self._note_credential_use(owner, made, used, "servicePrincipal" if on_principal else "application")
            self.note_sign_in(owner, used, key_id=key_id)
        return key_id

    def _note_credential_use(self, owner: Planted, made: Json, used: float, origin: str) -> None:
        # Microsoft's sample and its schema disagree about the name of this property; clients have to know both.
        ending = "expirationDate" if len(self.credential_uses) % 2 else "expirationDateTime"
        self.credential_uses.append(
            {
                "id": planted_id(self.seed, f"credential-use/{made['keyId']}"),
                "keyId": made["keyId"],
                "keyType": "certificate" if "usage" in made else "clientSecret",
                "keyUsage": str(made.get("usage", "Verify")).lower(),
                "appId": owner.app_id,
                "appObjectId": (owner.application or {}).get("id"),
                "servicePrincipalObjectId": (owner.principal or {}).get("id"),
                "resourceId": "00000003-0000-0000-c000-000000000000",
                "credentialOrigin": origin,
                ending: made["endDateTime"],
                "signInActivity": self.moment(used),
            }
        )

    def _ago(self, days: float) -> str:
        return self.moments.ago(days)

    def _ahead(self, days: float | None) -> str | None:
        return None if days is None else self.moments.ahead(days)
