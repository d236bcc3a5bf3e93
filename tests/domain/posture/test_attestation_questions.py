"""Who is asked about what: the identities that nobody uses, their people, and the grants that they could lose."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.approval import Person
from shared.domain.gateway import IdentityKind
from shared.domain.posture.attestation import Attestation, Question
from shared.domain.posture.coverage_block import CoverageBlock
from shared.domain.posture.exceptions import Acceptance, Class, Classification
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity, Verdict
from shared.domain.posture.gateway_view import Estate
from shared.domain.posture.inventory import App, Known, Unknown
from shared.domain.posture.questions import (
    ASKED_ABOUT,
    MOST_CONNECTIONS,
    MOST_EVIDENCE,
    MOST_GRANTS,
    Asking,
    outlived,
    questions,
)
from shared.domain.posture.report import Basis, Remembered, Snapshot, build_report
from shared.domain.posture.rules import PostureRules
from shared.domain.principals import AccountState
from tests.domain.posture import apps, estates
from tests.domain.posture.apps import AT, OBJECT, PRINCIPAL, ago
from tests.domain.posture.estates import AGENT, PERSON

UNDER = Asking(AT, PostureRules())
MARY = Person("mary", "Mary")


def about(object_id: str = OBJECT, kind: ObjectKind = ObjectKind.APPLICATION, key_id: str = "") -> About:
    return About(kind, object_id, "payroll", key_id, "app-1")


def finding(check_id: str = "A1", severity: Severity = Severity.HIGH, **more: str) -> Finding:
    return Finding(check_id, about(**more), severity, "Nobody uses it.")  # type: ignore[arg-type]


def asked(
    *findings: Finding, among: Iterable[App] = (apps.ORDINARY,), estate: Estate | None = None, under: Asking = UNDER
) -> tuple[Question, ...]:
    return questions(findings, among, estate, under)


def the_question(*findings: Finding, among: Iterable[App] = (apps.ORDINARY,), estate: Estate | None = None) -> Question:
    (question,) = asked(*findings, among=among, estate=estate)
    return question


def idle_estate(**more: object) -> Estate:
    """An agent with two groups: one opens what it used yesterday, the other what it never opened."""
    reach = {"pg": frozenset({"invoices"}), "s3": frozenset({"archive"})}
    held = estates.identity(groups=frozenset({"invoices", "archive"}))
    return estates.estate(estates.holder(identity=held, reach=reach, granted_at={}), **more)


def gateway(check_id: str = "G3", key_id: str = "s3") -> Finding:
    return Finding(check_id, About(ObjectKind.AGENT_IDENTITY, AGENT, "bot", key_id), Severity.MEDIUM, "Never opened.")


class TestWhatIsAsked:
    @pytest.mark.parametrize("check_id", sorted(ASKED_ABOUT))
    def test_disuse_leads_to_a_question(self, check_id: str) -> None:
        assert the_question(finding(check_id)).evidence == (finding(check_id),)

    @pytest.mark.parametrize("check_id", ["A5", "A6", "B1", "B3", "C2", "C9", "E1", "G7", "G8"])
    def test_what_has_one_right_answer_is_not_asked_about(self, check_id: str) -> None:
        assert asked(finding(check_id)) == ()

    def test_low_severity_and_what_could_not_be_judged_lead_to_no_question(self) -> None:
        assert asked(finding(severity=Severity.LOW), replace(finding("A2"), verdict=Verdict.UNKNOWN)) == ()

    def test_evidence_is_the_worst_first_and_holds_nothing_else(self) -> None:
        worst = finding("A4", Severity.CRITICAL)

        question = the_question(finding("A3", Severity.MEDIUM), finding("C2"), worst)

        assert [one.check_id for one in question.evidence] == ["A4", "A3"]

    def test_question_knows_until_when_usage_was_read(self) -> None:
        assert the_question(finding()).seen_until == AT

    @pytest.mark.parametrize(("check_id", "expected"), [("A4", True), ("E1", True), ("E2", False)])
    def test_who_can_take_the_tenant_over_is_tier_0_whatever_is_asked(self, check_id: str, expected: bool) -> None:  # noqa: FBT001 - a parameter of pytest
        assert the_question(finding(), finding(check_id)).is_tier_0 is expected

    def test_too_much_evidence_is_cut_and_counted(self) -> None:
        many = [finding("G3", key_id=f"c-{number:03}") for number in range(MOST_EVIDENCE + 5)]

        question = the_question(*many)

        assert len(question.evidence) == MOST_EVIDENCE
        assert question.left_out == 5

    def test_worst_identity_comes_first_whatever_the_order_of_reading(self) -> None:
        other = replace(apps.ORDINARY, app_id="app-2", application=apps.application(object_id="other"), principal=None)
        findings = (finding(), finding("A4", Severity.CRITICAL, object_id="other"))

        orders = [
            asked(*findings, among=(apps.ORDINARY, other)),
            asked(*reversed(findings), among=(other, apps.ORDINARY)),
        ]

        assert [one.about.object_id for one in orders[0]] == ["other", OBJECT]
        assert orders[0] == orders[1]


class TestExemptions:
    def test_accepted_finding_is_not_asked_about_until_it_ends(self) -> None:
        accepted = Acceptance(finding().finding_id, Severity.HIGH, "why", MARY, ago(10), AT + timedelta(days=1))

        assert asked(finding(), under=replace(UNDER, exemptions=(accepted,))) == ()
        assert asked(finding(), under=replace(UNDER, exemptions=(accepted,), at=AT + timedelta(days=1)))

    def test_worse_finding_is_asked_about_though_it_was_accepted(self) -> None:
        accepted = Acceptance(finding().finding_id, Severity.MEDIUM, "why", MARY, ago(10), AT + timedelta(days=1))

        assert asked(finding(), under=replace(UNDER, exemptions=(accepted,)))

    def test_acceptance_lasts_a_month_only_once_it_can_take_the_tenant_over(self) -> None:
        accepted = Acceptance(finding().finding_id, Severity.HIGH, "why", MARY, ago(40), AT + timedelta(days=1))

        under = replace(UNDER, exemptions=(accepted,))

        assert asked(finding(), under=under) == ()
        assert asked(finding(), finding("E1"), under=under)

    def test_only_what_is_not_excepted_is_evidence(self) -> None:
        classified = Classification(finding("A3").finding_id, Class.NOT_OURS, MARY, ago(10))

        (question,) = asked(finding(), finding("A3"), under=replace(UNDER, exemptions=(classified,)))

        assert [one.check_id for one in question.evidence] == ["A1"]


class TestPeople:
    def test_owners_who_can_sign_in_here_are_asked_and_all_of_them_are_owners(self) -> None:
        owners = (
            apps.person("ada"),
            apps.person("gone", enabled=False),
            apps.person("guest", is_guest=True),
            apps.machine("pipeline"),
            apps.group("team"),
        )

        question = the_question(finding(), among=(apps.app(owners=Known(owners)),))

        assert question.people == (Person("ada", "ada"),)
        assert question.owners == frozenset({"ada", "gone", "guest", "pipeline", "team"})
        assert question.owner_groups == {"team"}

    def test_who_owns_an_agent_is_not_asked_but_cannot_accept_its_risk_either(self) -> None:
        agent = apps.agent(sponsors=Known((apps.person("sam"),)), owners=Known((apps.person("olga"),)))

        question = the_question(finding("A7", object_id=agent.object_id), among=(agent,))

        assert [one.principal_id for one in question.people] == ["sam"]
        assert question.owners == frozenset({"sam", "olga"})

    def test_nobody_accepts_the_risk_of_an_agent_while_its_owners_are_unread(self) -> None:
        agent = apps.agent(sponsors=Known((apps.person("sam"),)), owners=Unknown("graph-403"))

        assert the_question(finding("A7", object_id=agent.object_id), among=(agent,)).owners is None

    def test_owners_that_were_not_read_are_unknown(self) -> None:
        question = the_question(finding(), among=(apps.app(owners=Unknown("graph-403")),))

        assert (question.people, question.owners) == ((), None)

    def test_application_that_nobody_owns_has_known_owners(self) -> None:
        ownerless = apps.app({"owner_count": 0}, {"owner_count": 0}, owners=Unknown("not-read"))

        assert the_question(finding(), among=(ownerless,)).owners == frozenset()

    def test_sponsors_answer_for_an_agent(self) -> None:
        agent = apps.agent(sponsors=Known((apps.person("sam"),)), owners=Unknown("not-read"))

        question = the_question(finding("A7", object_id=PRINCIPAL), among=(agent,))

        assert question.people == (Person("sam", "sam"),)
        assert question.about.kind is ObjectKind.AGENT_IDENTITY

    def test_person_answers_for_their_own_access_as_its_owner(self) -> None:
        ada = About(ObjectKind.GATEWAY_IDENTITY, PERSON, "Ada", "pg")

        question = the_question(
            Finding("G3", ada, Severity.MEDIUM, "Never opened."), among=(), estate=estates.estate(estates.user())
        )

        assert question.people == (Person(PERSON, "Ada"),)
        assert question.owners == frozenset({PERSON})

    def test_person_who_is_shut_out_is_not_asked(self) -> None:
        shut = estates.user(principal=estates.person(state=AccountState.DISABLED))
        ada = About(ObjectKind.GATEWAY_IDENTITY, PERSON, "Ada", "pg")

        question = the_question(
            Finding("G12", ada, Severity.HIGH, "It woke up."), among=(), estate=estates.estate(shut)
        )

        assert question.people == ()
        assert question.owners == frozenset({PERSON})

    def test_maker_answers_for_a_key_of_nobodys(self) -> None:
        key = estates.identity(IdentityKind.API_KEY, "k-1", created_by="Ada@Contoso.example")
        estate = estates.estate(estates.user(), estates.holder(identity=key, principal=None))
        of_key = About(ObjectKind.GATEWAY_IDENTITY, str(key.ref), "k-1", "pg")

        question = the_question(Finding("G3", of_key, Severity.MEDIUM, "Never opened."), among=(), estate=estate)

        assert question.people == (Person(PERSON, "Ada"),)
        assert question.owners == frozenset({PERSON})

    def test_principal_that_no_application_tells_of_has_unknown_owners(self) -> None:
        question = the_question(gateway(), among=(), estate=idle_estate())

        assert (question.people, question.owners) == ((), None)


class TestOneIdentity:
    def test_application_its_principal_and_its_place_at_the_gateway_are_one_question(self) -> None:
        here = apps.app(of_principal={"object_id": AGENT})

        question = the_question(finding(), gateway(), among=(here,), estate=idle_estate())

        assert {one.check_id for one in question.evidence} == {"A1", "G3"}
        assert question.about.object_id == OBJECT

    def test_attestation_is_the_same_whichever_half_was_found_first(self) -> None:
        here = apps.app(of_principal={"object_id": AGENT})

        both = [the_question(one, among=(here,), estate=idle_estate()).attestation_id for one in (finding(), gateway())]

        assert both[0] == both[1]


class TestUnusedGrants:
    def test_group_that_opens_only_what_nobody_opened_is_unused(self) -> None:
        (grant,) = the_question(gateway(), among=(), estate=idle_estate()).unused

        assert (grant.identity, grant.group, grant.connections) == (f"service-account/{AGENT}", "archive", ("s3",))
        assert (grant.principal_id, grant.last_opened, grant.left_out) == (AGENT, None, 0)

    def test_group_that_opens_anything_in_use_is_not(self) -> None:
        reach = {"pg": frozenset({"archive"}), "s3": frozenset({"archive"})}
        estate = estates.estate(estates.holder(reach=reach, granted_at={}))

        assert the_question(gateway(), among=(), estate=estate).unused == ()

    @pytest.mark.parametrize(
        "change",
        [{"sessions_since": None}, {"sessions_since": ago(59)}, {"standby": frozenset({"s3"})}],
        ids=["no-log", "young-log", "rests-by-design"],
    )
    def test_nothing_is_called_unused_that_nobody_can_tell(self, change: dict[str, object]) -> None:
        assert the_question(gateway(), among=(), estate=idle_estate(**change)).unused == ()

    def test_nothing_is_called_unused_where_uses_were_not_read(self) -> None:
        blind = estates.estate(estates.holder(uses=Unknown("gateway-503")))

        assert the_question(gateway(), among=(), estate=blind).unused == ()

    def test_new_grant_is_not_called_unused(self) -> None:
        estate = idle_estate()
        (holder,) = estate.holders
        young = replace(estate, holders=(replace(holder, granted_at={"s3": ago(30)}),))

        assert the_question(gateway(), among=(), estate=young).unused == ()

    def test_group_that_administers_or_audits_is_never_called_unused(self) -> None:
        reach = {"pg": frozenset({"invoices", "admin"}), "s3": frozenset({"admin", "auditor"})}
        estate = estates.estate(estates.holder(reach=reach, granted_at={}))

        assert the_question(gateway(), among=(), estate=estate).unused == ()

    def test_connection_of_a_machine_identity_is_a_grant_of_its_own(self) -> None:
        machine = estates.identity(
            IdentityKind.MACHINE_IDENTITY, "batch", groups=frozenset(), connections=frozenset({"pg", "s3"})
        )
        reach: dict[str, frozenset[str]] = {"pg": frozenset(), "s3": frozenset()}
        estate = estates.estate(estates.holder(identity=machine, reach=reach, granted_at={}))

        (grant,) = the_question(gateway(), among=(), estate=estate).unused

        assert (grant.group, grant.connections) == ("s3", ("s3",))

    def test_grants_and_connections_are_cut_and_counted(self) -> None:
        wide = {f"c-{number:03}": frozenset({"archive"}) for number in range(MOST_CONNECTIONS + 2)}
        many = {f"d-{number:03}": frozenset({f"g-{number:03}"}) for number in range(MOST_GRANTS + 3)}
        estate = estates.estate(estates.holder(reach=wide | many, granted_at={}))

        unused = the_question(gateway(), among=(), estate=estate).unused

        assert len(unused) == MOST_GRANTS
        assert (unused[0].group, len(unused[0].connections), unused[0].left_out) == ("archive", MOST_CONNECTIONS, 2)


class TestOutlived:
    def test_question_is_over_once_all_of_its_findings_are_gone(self) -> None:
        open_one = Attestation("id", the_question(finding(), finding("A3")), ago(7), "report-1")
        before = Snapshot(ago(7), {finding().finding_id: Remembered(finding(), ago(7))})

        def found(*findings: Finding) -> tuple[Attestation, ...]:
            basis = Basis(AT, "Contoso", {"A1": "", "A3": ""}, CoverageBlock(()), Known(before))
            return outlived([open_one], build_report(findings, basis))

        assert found() == (open_one,)
        assert found(finding("A3")) == ()
        assert found(replace(finding(), verdict=Verdict.UNKNOWN)) == ()
