"""Graph's pages of posture sources: what is kept of them, and what it means."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.graph.posture import certificates
from shared.domain.posture.inventory import CredentialKind, Known, OwnerKind, Purpose, Unknown
from shared.domain.posture.scan import Row, Source
from shared.errors import RetryLaterError
from shared.wire.inventory import parse_moment, read_certificate
from shared.wire.inventory_apps import Half, Surroundings, join_app, surroundings
from shared.wire.inventory_rows import trim_owners, trim_page, trim_role_definitions
from shared.wire.scan import pack_rows, unpack_rows

APP, APP_ID, PRINCIPAL, AGENT = "a0", "b0", "c0", "d0"
HOSTILE = ["\t\n\r", "\x00", "<script>", "=1+1", "\u2028", "\ud800", '"', "'; DROP TABLE applications; --", "\u202e"]
EMPTY = Surroundings({}, {}, {})


def application(**more: object) -> dict[str, Any]:
    return {"id": APP, "appId": APP_ID, "displayName": "ledger"} | more


def principal(**more: object) -> dict[str, Any]:
    return {"id": PRINCIPAL, "appId": APP_ID, "displayName": "ledger", "servicePrincipalType": "Application"} | more


def only_row(source: Source, raw: object) -> Row:
    (found,) = trim_page(source, {"value": [raw]})
    return found


def half(source: Source, raw: dict[str, Any], **facts: object) -> Half:
    counted = {
        Source.APPLICATIONS: (Source.OWNERLESS_APPLICATIONS, Source.SINGLE_OWNER_APPLICATIONS),
        Source.SERVICE_PRINCIPALS: (Source.OWNERLESS_PRINCIPALS, Source.SINGLE_OWNER_PRINCIPALS),
    }[source]
    found = only_row(source, raw)
    known = {name.replace("_", "-"): {"": value} for name, value in facts.items()}
    return Half(found.ident, json.loads(found.body), known, counted)


def joined(app: dict[str, Any] | None = None, sp: dict[str, Any] | None = None, around: Surroundings = EMPTY) -> Any:  # noqa: ANN401 - either half may be there
    registration = half(Source.APPLICATIONS, app) if app is not None else None
    service = half(Source.SERVICE_PRINCIPALS, sp) if sp is not None else None
    return join_app(APP_ID, Half(APP_ID, {}), registration, service, around)


def key(key_id: str, usage: str, **more: object) -> dict[str, Any]:
    return {
        "keyId": key_id,
        "usage": usage,
        "customKeyIdentifier": "AAA=",
        "startDateTime": "2026-01-01T00:00:00Z",
    } | more


def test_bare_objects_have_every_field_at_its_usual_value() -> None:
    app = joined({"id": APP, "appId": APP_ID}, {"id": PRINCIPAL, "appId": APP_ID})

    assert (app.object_id, app.name, app.credentials, app.created_at) == (APP, "", (), None)
    assert app.application.audience == "AzureADMyOrg"
    assert app.application.locked is None
    assert app.principal.enabled
    assert app.principal.kind == "Application"


def test_ids_compare_without_regard_to_case() -> None:
    found = only_row(Source.APPLICATIONS, application(id="A0-FF", appId="B0-FF"))

    assert (found.ident, found.key) == ("a0-ff", "b0-ff")


def test_certificate_listed_for_two_usages_is_one_credential() -> None:
    app = joined(application(keyCredentials=[key("k2", "Verify"), key("k1", "Sign")]))

    (credential,) = app.credentials
    assert credential.key_id == "k1"
    assert credential.usages == {"Sign", "Verify"}
    assert credential.kind is CredentialKind.CERTIFICATE


def test_certificates_without_thumbprint_stay_apart() -> None:
    app = joined(application(keyCredentials=[key(one, "Verify", customKeyIdentifier=None) for one in ("k1", "k2")]))

    assert [one.key_id for one in app.credentials] == ["k1", "k2"]


def test_credential_without_dates_has_none() -> None:
    app = joined(application(passwordCredentials=[{"keyId": "s1", "startDateTime": None, "endDateTime": None}]))

    (credential,) = app.credentials
    assert (credential.starts_at, credential.ends_at) == (None, None)


OFFICE = "EA5A67F6-b6f3-4338-b240-c655ddc3cc8e"


def asked_for_by(*clients: str) -> dict[str, Any]:
    return {"api": {"preAuthorizedApplications": [{"appId": client} for client in clients]}}


@pytest.mark.parametrize(
    ("said", "purpose"),
    [
        ({}, Purpose.ORDINARY),
        ({"identifierUris": None, "applicationTemplateId": None, "api": None}, Purpose.ORDINARY),
        ({"displayName": "P2P Server", "identifierUris": ["api://p2p"]}, Purpose.ORDINARY),
        ({"identifierUris": ["api://x", "URN:p2p_cert"]}, Purpose.DEVICE_TRUST),
        ({"applicationTemplateId": "1A4721B3-e57f-4451-ae87-ef078703ec94"}, Purpose.CLOUD_SYNC),
        (asked_for_by("somebody", OFFICE), Purpose.OFFICE_ADD_IN),
        (asked_for_by("somebody"), Purpose.ORDINARY),
    ],
)
def test_purpose_is_told_by_entras_data_and_never_by_a_name(said: dict[str, Any], purpose: Purpose) -> None:
    assert joined(application(**said)).application.purpose is purpose


@pytest.mark.parametrize(
    ("configured", "locked"),
    [({}, None), ({"servicePrincipalLockConfiguration": None}, None)]
    + [({"servicePrincipalLockConfiguration": {"isEnabled": on}}, bool(on)) for on in (True, False, None)],
)
def test_lock_is_known_when_it_was_configured(configured: dict[str, Any], locked: bool | None) -> None:  # noqa: FBT001 - cases
    assert joined(application(**configured)).application.locked is locked


@pytest.mark.parametrize(("access", "id_token", "implicit"), [(True, False, True), (False, True, False)])
def test_hybrid_flow_is_no_implicit_grant(access: bool, id_token: bool, implicit: bool) -> None:  # noqa: FBT001 - cases
    settings = {"enableAccessTokenIssuance": access, "enableIdTokenIssuance": id_token}

    assert joined(application(web={"implicitGrantSettings": settings})).application.implicit_grant is implicit


@pytest.mark.parametrize(
    ("shut", "enabled"),
    [({"accountEnabled": False}, False), ({"isDisabled": True}, False), ({"accountEnabled": True}, True)],
)
def test_principal_is_shut_by_either_switch(shut: dict[str, Any], enabled: bool) -> None:  # noqa: FBT001 - cases
    assert joined(None, principal(**shut)).principal.enabled is enabled


@pytest.mark.parametrize(
    ("status", "disabled"), [(None, False), ("NotDisabled", False), ("DisabledDueToViolationOfServicesAgreement", True)]
)
def test_microsofts_own_switch_is_told_apart(status: str | None, disabled: bool) -> None:  # noqa: FBT001 - cases
    assert joined(application(disabledByMicrosoftStatus=status)).application.disabled_by_microsoft is disabled


def test_agent_identity_is_known_by_its_type_and_blueprint_by_its_own_read() -> None:
    raw = principal(**{"@odata.type": "#microsoft.graph.agentIdentity"})
    read = half(Source.SERVICE_PRINCIPALS, raw, agents={"blueprint": "bp", "sponsors": []})

    app = join_app(APP_ID, Half(APP_ID, {}), None, read, EMPTY)

    assert app.principal is not None
    assert app.principal.blueprint_id == "bp"
    assert app.sponsors == Known(())
    assert joined(None, raw).principal.blueprint_id == "not-read"
    assert joined(None, raw).sponsors == Unknown("not-read")


@pytest.mark.parametrize("offered", [{"api": {"oauth2PermissionScopes": [{"id": "1"}]}}, {"appRoles": [{"id": "1"}]}])
def test_scopes_and_roles_both_make_an_api(offered: dict[str, Any]) -> None:
    assert joined(application(**offered)).application.exposes_api
    assert not joined(application(api={"oauth2PermissionScopes": []}, appRoles=[])).application.exposes_api


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_arrives_as_it_is(name: str) -> None:
    kept = unpack_rows(pack_rows([only_row(Source.APPLICATIONS, application(displayName=name))]))

    assert kept == (only_row(Source.APPLICATIONS, application(displayName=name)),)
    assert joined(application(displayName=name)).name == name


@given(
    st.lists(st.builds(Row, st.text("ab-", max_size=3), st.text("c/", max_size=3), st.just('{"a":"\\n"}')), min_size=1)
)
def test_rows_survive_being_kept(rows: list[Row]) -> None:
    assert unpack_rows(pack_rows(rows)) == tuple(rows)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.1234567Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-05:00", datetime.max.replace(tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_moment_is_aware_or_nothing(text: object, moment: datetime | None) -> None:
    assert parse_moment(text) == moment


@given(st.text())
def test_no_text_breaks_a_moment(text: str) -> None:
    found = parse_moment(text)

    assert found is None or found.utcoffset() == timedelta(0)


def test_sign_in_is_the_newest_of_five_activities() -> None:
    activity = {
        "appId": APP_ID,
        "lastSignInActivity": None,
        "delegatedClientSignInActivity": {"lastSignInDateTime": "2026-01-01T00:00:00Z"},
        "applicationAuthenticationResourceSignInActivity": {"lastSignInDateTime": "2026-03-01T00:00:00Z"},
        "applicationAuthenticationClientSignInActivity": {"lastSignInDateTime": None},
    }
    row = only_row(Source.SIGN_INS, activity)
    uses = Half(APP_ID, {}, {Source.SIGN_INS: {"": ["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"]}})

    app = join_app(APP_ID, uses, half(Source.APPLICATIONS, application()), None, EMPTY)

    assert row.body == '["2026-01-01T00:00:00Z","2026-03-01T00:00:00Z"]'
    assert app.last_used_at == Known(datetime(2026, 3, 1, tzinfo=UTC))


def test_application_without_a_row_was_never_used_when_the_report_was_read() -> None:
    missing = Surroundings({Source.SIGN_INS: Unknown("no-licence")}, {}, {})

    assert joined(application()).last_used_at == Known(None)
    assert joined(application(), around=missing).last_used_at == Unknown("no-licence")


def test_key_used_at_several_resources_was_used_when_it_was_used_last() -> None:
    rows = [{"key": "k1", "at": f"2026-0{month}-01T00:00:00Z"} for month in (2, 5, 3)] + [{"key": "k2", "at": None}]
    uses = Half(APP_ID, {}, {Source.CREDENTIAL_SIGN_INS: {str(n): one for n, one in enumerate(rows)}})

    app = join_app(APP_ID, uses, half(Source.APPLICATIONS, application()), None, EMPTY)

    assert app.credential_uses == Known({"k1": datetime(2026, 5, 1, tzinfo=UTC)})


def test_certificate_shows_its_size_and_signature() -> None:
    assert read_certificate(certificates.RSA_1024) == {"bits": 1024, "algorithm": "sha256"}
    assert read_certificate(certificates.RSA_2048_SHA1) == {"bits": 2048, "algorithm": "sha1"}
    assert read_certificate(certificates.P_256) == {"bits": 256, "algorithm": "sha256"}


@pytest.mark.parametrize("der", [None, "", "no base64!", base64.b64encode(b"no certificate").decode(), 5])
def test_what_is_no_certificate_shows_nothing(der: object) -> None:
    assert read_certificate(der) == {}


class TestOwners:
    def owned(self, *owners: str, **facts: object) -> Half:
        raw = application(owners=[{"id": one, "@odata.type": "#microsoft.graph.user"} for one in owners])
        return half(Source.APPLICATIONS, raw, **facts)

    def owners(self, held: Half, around: Surroundings = EMPTY) -> Any:  # noqa: ANN401 - either half may be there
        return join_app(APP_ID, Half(APP_ID, {}), held, None, around)

    def test_list_is_believed_when_the_filter_agrees(self) -> None:
        app = self.owners(self.owned("u1", "u2"))

        assert [one.object_id for one in app.owners.value] == ["u1", "u2"]
        assert app.application.owner_count == 2

    def test_ownerless_is_a_fact_that_was_read(self) -> None:
        app = self.owners(self.owned(ownerless_applications=None))

        assert (app.owners, app.application.owner_count) == (Known(()), 0)

    def test_list_that_disagrees_with_the_filter_is_not_believed(self) -> None:
        app = self.owners(self.owned())

        assert app.owners == Unknown("not-read")
        assert app.application.owner_count == 2

    def test_owners_read_one_by_one_decide(self) -> None:
        app = self.owners(self.owned("u1", ownerless_applications=None, owners=trim_owners([{"id": "U9"}])))

        assert [one.object_id for one in app.owners.value] == ["u9"]
        assert app.application.owner_count == 1

    def test_list_that_shows_twenty_may_hide_more(self) -> None:
        assert self.owners(self.owned(*(f"u{n:02d}" for n in range(20)))).owners == Unknown("not-read")

    def test_failed_filter_leaves_the_owners_unknown(self) -> None:
        around = Surroundings({Source.SINGLE_OWNER_APPLICATIONS: Unknown("graph-500")}, {}, {})

        app = self.owners(self.owned("u1", "u2"), around)

        assert (app.owners, app.application.owner_count) == (Unknown("graph-500"), None)

    def test_owners_of_both_objects_are_owners(self) -> None:
        service = half(Source.SERVICE_PRINCIPALS, principal(owners=[{"id": "u2"}]), single_owner_principals=None)

        app = join_app(APP_ID, Half(APP_ID, {}), self.owned("u1", "u3"), service, EMPTY)

        assert isinstance(app.owners, Known)
        assert [one.object_id for one in app.owners.value] == ["u1", "u2", "u3"]

    def test_people_who_are_gone_or_guests_or_without_second_factor_are_told(self) -> None:
        rows = [
            ("users/gone", Source.PEOPLE, '{"enabled":false}'),
            ("users/guest", Source.PEOPLE, '{"enabled":true,"guest":true,"name":"Guest"}'),
            ("users/bare", Source.PEOPLE, '{"enabled":true}'),
            ("users/bare", Source.REGISTRATIONS, '{"mfa":false}'),
            ("groups/team", Source.PEOPLE, '{"members":0}'),
        ]
        around = surroundings({}, rows, [])
        listed = trim_owners(
            [{"id": one, "@odata.type": "#microsoft.graph.user"} for one in ("gone", "guest", "bare")]
            + [{"id": "team", "@odata.type": "#microsoft.graph.group"}]
            + [{"id": "sp", "@odata.type": "#microsoft.graph.servicePrincipal", "appOwnerOrganizationId": "T1"}]
        )

        bare, gone, guest, robot, team = around.owners(listed)

        assert (gone.enabled, guest.is_guest, bare.has_mfa, guest.has_mfa) == (False, True, False, True)
        assert (team.kind, team.members) == (OwnerKind.GROUP, 0)
        assert (robot.kind, robot.home_tenant, robot.enabled) == (OwnerKind.SERVICE_PRINCIPAL, "t1", None)

    def test_owners_of_more_applications_than_are_remembered_are_told_all_the_same(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shared.wire.inventory_apps.MOST_KNOWN", 2)
        listed = trim_owners([{"id": f"u{number % 3}", "displayName": f"name {number}"} for number in range(9)])
        around = Surroundings({}, {}, {})

        assert [one.name for one in around.owners(listed)] == [one["name"] for one in listed]
        assert len(around.known) <= 2

    def test_second_factor_is_unknown_when_the_report_was_not_read(self) -> None:
        around = surroundings(
            {Source.REGISTRATIONS: Unknown("graph-403")}, [("users/u1", Source.PEOPLE, '{"enabled":true}')], []
        )

        (owner,) = around.owners(trim_owners([{"id": "u1"}]))

        assert owner.has_mfa is None


class TestPermissions:
    def test_role_is_named_as_its_resource_names_it(self) -> None:
        definitions = trim_role_definitions(
            {"id": "R1", "appId": "G1", "appRoles": [{"id": "P1", "value": "Mail.Read"}]}
        )
        assigned = only_row(
            Source.APP_ROLES, {"id": "x", "principalId": PRINCIPAL, "resourceId": "R1", "appRoleId": "P1"}
        )
        around = surroundings({}, [], [(definitions.key, definitions.body)])
        held = half(Source.SERVICE_PRINCIPALS, principal(), app_roles={"resource": "r1", "role": "p1"})

        app = join_app(APP_ID, Half(APP_ID, {}), None, held, around)

        assert assigned.body == '{"resource":"r1","role":"p1"}'
        assert isinstance(app.app_roles, Known)
        assert [(one.resource_app_id, one.role_id, one.name) for one in app.app_roles.value] == [
            ("g1", "p1", "Mail.Read")
        ]

    def test_only_consent_for_everybody_is_kept(self) -> None:
        grants = [
            {"id": "g1", "clientId": PRINCIPAL, "consentType": "AllPrincipals", "scope": " Mail.Read  User.Read "},
            {"id": "g2", "clientId": PRINCIPAL, "consentType": "Principal", "scope": "Files.Read"},
        ]

        (found,) = trim_page(Source.DELEGATED_GRANTS, {"value": grants})

        assert (found.key, found.body) == (PRINCIPAL, '["Mail.Read","User.Read"]')

    @pytest.mark.parametrize(
        ("source", "field"),
        [
            (Source.APP_ROLES, "app_roles"),
            (Source.DIRECTORY_ROLES, "directory_roles"),
            (Source.DELEGATED_GRANTS, "delegated_scopes"),
            (Source.CREDENTIAL_SIGN_INS, "credential_uses"),
            (Source.FEDERATED_APPLICATIONS, "federated"),
        ],
    )
    def test_source_that_was_not_read_leaves_its_fact_unknown(self, source: Source, field: str) -> None:
        around = Surroundings({source: Unknown("graph-403")}, {}, {})

        assert getattr(joined(application(), principal(), around), field) == Unknown("graph-403")

    def test_half_that_was_not_read_is_not_taken_for_missing(self) -> None:
        around = Surroundings({Source.APPLICATIONS: Unknown("graph-500")}, {}, {})

        assert joined(None, principal(), around).unread_half == Unknown("graph-500")
        assert joined(None, principal()).unread_half is None
        assert joined(application(), principal(), around).unread_half is None


@pytest.mark.parametrize("document", [None, [], {}, {"value": None}, {"value": [None]}, {"value": [{"id": "x"}]}])
def test_nonsense_is_a_reason_to_ask_again(document: object) -> None:
    with pytest.raises(RetryLaterError, match="graph-answered-nonsense"):
        trim_page(Source.APPLICATIONS, document)
