"""Subjects: whose tokens a federated credential trusts, read from its subject or its expression."""

import re
from dataclasses import dataclass

from shared.domain.posture.inventory import FederatedCredential

GITHUB = "https://token.actions.githubusercontent.com"
ENTRA = ("https://login.microsoftonline.com/", "https://sts.windows.net/")

_CLAUSE = re.compile(r"claims\['(?P<claim>[^']+)'\]\s+(?P<operator>eq|matches)\s+'(?P<value>[^']*)'", re.IGNORECASE)
_IMMUTABLE = re.compile(r"repo:[^/:@]+@\d+/[^/:@]+@\d+(:|$)")


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of an expression; a subject is the same as one equality."""

    claim: str
    is_pattern: bool
    value: str

    @property
    def is_wild(self) -> bool:
        """Whether more than one value satisfies it."""
        return self.is_pattern and any(wild in self.value for wild in "*?")


def clauses(credential: FederatedCredential) -> tuple[Clause, ...]:
    """What a token has to say; nothing when the expression is not understood."""
    if not credential.expression:
        return (Clause("sub", is_pattern=False, value=credential.subject),)
    found = _CLAUSE.finditer(credential.expression)
    return tuple(Clause(one["claim"].lower(), one["operator"].lower() == "matches", one["value"]) for one in found)


def source(subject: str) -> str:
    """The part that names the owner and repository, or group and project: everything before the ref or event."""
    kind, _, rest = subject.partition(":")
    return f"{kind}:{rest.partition(':')[0]}"


def is_wild_source(clause: Clause) -> bool:
    """Whether it trusts more than one repository, or every ref and event of one."""
    head = source(clause.value)
    rest = clause.value[len(head) :].lstrip(":")
    return clause.is_wild and (any(wild in head for wild in "*?") or rest.startswith(("*", "?")))


def is_github(issuer: str) -> bool:
    """Whether github.com issues the tokens; an enterprise server has no immutable subjects."""
    return issuer.lower() == GITHUB or issuer.lower().startswith(f"{GITHUB}/")


def is_mutable(credential: FederatedCredential, clause: Clause) -> bool:
    """Whether somebody else can get this subject by taking over a name that was given up."""
    if clause.claim != "sub" or is_wild_source(clause):
        return False
    if is_github(credential.issuer) and clause.value.startswith("repo:"):
        return _IMMUTABLE.match(clause.value) is None
    return clause.value.startswith("project_path:")


def is_trusted(issuer: str, trusted: frozenset[str]) -> bool:
    """Whether the issuer, or the service that it is a tenant of, is on the list."""
    mine = issuer.lower().rstrip("/")
    return any(mine == one.lower().rstrip("/") or mine.startswith(one.lower().rstrip("/") + "/") for one in trusted)


def managed_identity(credential: FederatedCredential) -> str:
    """The object id of the principal that it trusts, when Entra itself is the issuer."""
    is_entra = credential.issuer.lower().startswith(ENTRA)
    return credential.subject.lower() if is_entra else ""
