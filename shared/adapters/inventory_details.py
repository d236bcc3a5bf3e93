"""Details: what is asked about single objects, and what is kept of the answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.adapters.json_api import Answer
from shared.domain.posture.scan import Row, Source
from shared.errors import RejectedError
from shared.wire.inventory import read_certificate
from shared.wire.inventory_rows import OWNER_FIELDS, row, trim_owners

Answers = Mapping[str, Answer]
_GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Question:
    """One read about one object; `path` is below the version."""

    key: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A source of details: its questions about one object, and its rows from their answers, by question name."""

    questions: Callable[[str], Sequence[Question]]
    rows: Callable[[str, Answers], Sequence[Row]]
    version: str = "v1.0"
    is_alone: bool = False


def _federated_questions(key: str) -> Sequence[Question]:
    return (Question(key, "", f"/applications/{key}/federatedIdentityCredentials"),)


def _federated_rows(key: str, answers: Answers) -> Sequence[Row]:
    found = _values(answers[""])
    return () if found is None else (row(key, "", found),)


def _agent_questions(key: str) -> Sequence[Question]:
    """`key` is `servicePrincipals/` or `applications/` and an object id."""
    return (
        Question(key, "self", f"/{key}"),
        Question(key, "sponsors", f"/{key}/sponsors?$select=id,displayName"),
    )


def _agent_rows(key: str, answers: Answers) -> Sequence[Row]:
    sponsors = _values(answers["sponsors"])
    if sponsors is None:
        return ()
    blueprint = (_document(answers["self"]) or {}).get("agentIdentityBlueprintId")
    return (row(_id(key), "", {"blueprint": str(blueprint or ""), "sponsors": trim_owners(sponsors)}),)


def _owner_questions(key: str) -> Sequence[Question]:
    """`key` is `servicePrincipals/` or `applications/` and an object id."""
    return (Question(key, "", f"/{key}/owners?$select={OWNER_FIELDS}&$top=999"),)


def _owner_rows(key: str, answers: Answers) -> Sequence[Row]:
    owners = _values(answers[""])
    return () if owners is None else (row(_id(key), "", trim_owners(owners)),)


def _person_questions(key: str) -> Sequence[Question]:
    """`key` is `users/` or `groups/` and an object id."""
    if key.startswith("groups/"):
        return (Question(key, "members", f"/{key}/members?$select=id&$top=999"),)
    return (Question(key, "user", f"/{key}?$select=id,displayName,accountEnabled,userType"),)


def _person_rows(key: str, answers: Answers) -> Sequence[Row]:
    """Whoever is gone can no longer sign in; a group that is gone has no members."""
    if key.startswith("groups/"):
        return (row(key, "", {"members": len(_values(answers["members"]) or ())}),)
    user = _document(answers["user"])
    if user is None:
        return (row(key, "", {"enabled": False}),)
    enabled = user.get("accountEnabled")
    body = {"name": user.get("displayName"), "guest": str(user.get("userType") or "").lower() == "guest"}
    return (row(key, "", body | ({"enabled": enabled} if isinstance(enabled, bool) else {})),)


def _certificate_questions(key: str) -> Sequence[Question]:
    """`key` is `servicePrincipals/` or `applications/` and an object id."""
    return (Question(key, "", f"/{key}?$select=id,keyCredentials"),)


def _certificate_rows(key: str, answers: Answers) -> Sequence[Row]:
    keys = (_document(answers[""]) or {}).get("keyCredentials") or ()
    return [row(_id(key), str(one.get("keyId")), read_certificate(one.get("key"))) for one in keys]


def _id(key: str) -> str:
    return key.rpartition("/")[2]


def _values(answer: Answer) -> list[dict[str, Any]] | None:
    """The rows of a list; nothing of an object that is gone."""
    document = _document(answer)
    if document is None:
        return None
    values = document.get("value")
    return values if isinstance(values, list) else []


def _document(answer: Answer) -> dict[str, Any] | None:
    if answer.status in _GONE:
        return None
    if answer.status >= 400 or not isinstance(answer.document, dict):
        raise RejectedError(f"graph-{answer.status}", "one item of a batch")
    return answer.document


DETAILS = {
    Source.FEDERATED_CREDENTIALS: Detail(_federated_questions, _federated_rows, version="beta"),
    Source.AGENTS: Detail(_agent_questions, _agent_rows),
    Source.OWNERS: Detail(_owner_questions, _owner_rows),
    Source.PEOPLE: Detail(_person_questions, _person_rows),
    Source.CERTIFICATES: Detail(_certificate_questions, _certificate_rows, is_alone=True),
}
