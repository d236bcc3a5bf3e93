from datetime import datetime

import pytest

from shared.domain.posture.finding import Finding, ObjectKind, Verdict
from shared.domain.posture.inventory import Unknown
from shared.domain.posture.limits import Limits
from shared.domain.posture.vault import VaultVersion
from shared.domain.posture.vault_judge import Vaulted, VaultJudge
from tests.domain.posture.apps import AT, OBJECT, PRINCIPAL, ahead, app, holding, person, secret

KV = "https://kv.vault.azure.net"
END = ahead(100)
LISTED = "The vault hands out a credential that Entra does not list."


def version(key_id: str = "key", app_tag: str = "", *, ends: datetime | None = END) -> VaultVersion:
    return VaultVersion(KV, "payroll", "1", key_id, expires_at=ends, app_tag=app_tag)


def judge(*versions: VaultVersion, **unread: str) -> VaultJudge:
    return VaultJudge(Vaulted(versions, {url: Unknown(why) for url, why in unread.items()}), AT, Limits())


def says(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [(one.about.object_id, one.about.key_id, one.says) for one in findings if one.verdict is Verdict.FAIL]


@pytest.mark.parametrize("tag", [OBJECT, OBJECT.upper(), PRINCIPAL, "app-1", "APP-1"])
def test_version_belongs_to_the_application_that_its_tag_names(tag: str) -> None:
    found = judge(version("dead", tag)).judge(holding(secret("key", 20, 100)))

    assert says(found) == [(OBJECT, "dead", LISTED)]
    assert found[0].owners == ("ada", "grace")
    assert found[0].fix.startswith("PATCH {vault}/secrets/{name}/{version}")


def test_version_without_an_application_belongs_to_whoever_lists_its_key() -> None:
    judged = judge(version("KEY", ends=None))

    found = judged.judge(holding(secret("key", 20, 100)))

    assert says(found) == [(OBJECT, "key", "The vault and Entra disagree on when it ends.")]
    assert judged.judge_rest(is_whole=True) == ()


def test_application_that_is_in_no_vault_is_not_judged() -> None:
    assert judge(version("other", "somebody-else")).judge(holding(secret())) == ()
    assert judge().judge(holding(secret())) == ()


def test_what_no_application_claims_is_judged_at_the_end() -> None:
    rest = judge(version("dead", "gone-app"), version("loose")).judge_rest(is_whole=True)

    assert says(rest) == [
        ("gone-app", "dead", "The vault hands out a credential of an application that is gone."),
        ("vault", "loose", LISTED),
    ]


def test_nothing_is_called_gone_when_not_everything_was_read() -> None:
    rest = judge(version("dead", "gone-app"), version("loose")).judge_rest(is_whole=False)

    assert [(one.verdict, dict(one.facts)["missing"]) for one in rest] == [
        (Verdict.UNKNOWN, "applications-not-read"),
        (Verdict.UNKNOWN, "applications-not-read"),
    ]


def test_vault_that_was_not_read_is_unknown() -> None:
    (one,) = judge(**{KV: "vault-403"}).judge_rest(is_whole=True)

    assert (one.check_id, one.verdict, one.about.kind, one.about.name) == (
        "C17",
        Verdict.UNKNOWN,
        ObjectKind.TENANT,
        KV,
    )


def test_versions_for_nobody_are_not_ours_to_judge() -> None:
    assert [one.is_ours_to_judge for one in (version(""), version("key"), version("", "app"))] == [False, True, True]
    assert person().name in judge(version("", OBJECT)).judge(app())[0].owners
