from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.posture.check import Case
from shared.domain.posture.inventory import App, CredentialKind
from shared.domain.posture.limits import Limits
from shared.domain.posture.rotation_ledger import (
    KEPT,
    NotedApp,
    NotedCredential,
    forget_the_gone,
    note,
    note_absence,
    side_by_side,
)
from tests.domain.posture.apps import AT, OBJECT, ago, ahead, app, holding, secret, signing

EMPTY = NotedApp(OBJECT)


def noted(key_id: str = "old", *, gone: float | None = None, ends: float = 100) -> NotedCredential:
    return NotedCredential(
        key_id, CredentialKind.SECRET, ago(60), ahead(ends), ago(1), None if gone is None else ago(gone)
    )


def case(one: App) -> Case[App]:
    return Case(one, AT, Limits())


def named(object_id: str) -> App:
    return app({"object_id": object_id})


def test_live_credentials_are_noted_with_when_they_were_seen() -> None:
    found = note(case(holding(secret("old", 60, 100), secret("over", 90, -1), signing())), EMPTY, is_whole=True)

    assert found.credentials == (NotedCredential("old", CredentialKind.SECRET, ago(60), ahead(100), AT),)


@pytest.mark.parametrize(
    ("before", "is_whole", "gone_at"),
    [
        (noted(), True, AT),
        (noted(), False, None),
        (noted(ends=-3), True, ago(3)),
        (noted(ends=-3), False, ago(3)),
        (noted(gone=5), True, ago(5)),
        (noted(gone=5), False, ago(5)),
    ],
)
def test_missing_credential_is_gone_once_everything_was_read_or_it_has_ended(
    before: NotedCredential, gone_at: object, *, is_whole: bool
) -> None:
    known = replace(EMPTY, credentials=(before,))

    seen = note(case(holding()), known, is_whole=is_whole)
    absent = note_absence(known, AT, is_whole=is_whole)

    assert [one.gone_at for one in seen.credentials] == [gone_at]
    assert [one.gone_at for one in absent.credentials] == [gone_at]
    assert [one.gone_at for one in seen.retired] == ([gone_at] if gone_at else [])


def test_gone_credential_is_forgotten_after_ninety_days_and_what_was_told_with_it() -> None:
    known = NotedApp(OBJECT, (noted(gone=KEPT.days + 1),), ("old overdue",), ("old overdue",))

    absent = note_absence(known, AT, is_whole=True)
    partial = note_absence(known, AT, is_whole=False)

    assert not absent.is_worth_keeping
    assert partial.told == ("old overdue",)


def test_credential_that_comes_back_is_live_again() -> None:
    found = note(case(holding(secret("old", 60, 100))), replace(EMPTY, credentials=(noted(gone=5),)), is_whole=True)

    assert found.retired == ()


def test_what_was_told_of_a_listed_credential_is_remembered() -> None:
    known = NotedApp(OBJECT, (), ("saml ends-30", "old overdue"))

    assert forget_the_gone(known, frozenset({"saml"}), is_whole=True).told == ("saml ends-30",)
    assert forget_the_gone(known, frozenset(), is_whole=False).told == known.told


@given(st.sets(st.text("abc", min_size=1, max_size=3)), st.sets(st.text("abc", min_size=1, max_size=3)))
def test_each_object_comes_once_with_its_line_and_its_application(lines: set[str], apps: set[str]) -> None:
    pairs = list(side_by_side(map(NotedApp, sorted(lines)), map(named, sorted(apps))))

    ids = [(line.object_id if line else None, one.object_id if one else None) for line, one in pairs]
    everything = sorted(lines | apps)
    assert ids == [(one if one in lines else None, one if one in apps else None) for one in everything]


def test_object_that_the_directory_lists_twice_comes_once() -> None:
    assert len(list(side_by_side([], [named("a"), named("a"), named("b")]))) == 2
