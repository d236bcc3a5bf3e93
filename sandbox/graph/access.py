"""Who may call: bearer tokens and the application roles in them."""

from dataclasses import dataclass

import jwt
from starlette.requests import Request

from infra.permissions import Permissions
from sandbox.graph.errors import GraphError
from sandbox.tenant import GRAPH_AUDIENCE
from sandbox.tokens import read_token

WRITE_ROLE = "Directory.ReadWrite.All"
READ_ROLES = frozenset(
    {
        "User.Read.All",
        "GroupMember.Read.All",
        "Group.Read.All",
        "Application.Read.All",
        "Directory.Read.All",
        WRITE_ROLE,
    }
)
READ, WRITE = READ_ROLES, frozenset({WRITE_ROLE})


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds the token of a request."""

    object_id: str
    roles: frozenset[str]

    @property
    def is_admin(self) -> bool:
        """Whether this is the sandbox's own admin."""
        return WRITE_ROLE in self.roles


def authenticate(request: Request) -> Caller:
    """The caller of a request; raises Graph's 401 without a valid token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthenticated("Access token is empty.")
    try:
        claims = read_token(token, audience=GRAPH_AUDIENCE)
    except jwt.ExpiredSignatureError as error:
        raise _unauthenticated("Lifetime validation failed, the token is expired.") from error
    except jwt.InvalidAudienceError as error:
        raise _unauthenticated("Access token validation failure. Invalid audience.") from error
    except jwt.InvalidTokenError as error:
        raise _unauthenticated("CompactToken validation failed.") from error
    return Caller(claims["oid"], frozenset(claims.get("roles", ())))


def authorize(caller: Caller, allowed: frozenset[str]) -> None:
    """Let a caller with one of the roles pass; raises Graph's 403 for everybody else."""
    if caller.roles.isdisjoint(allowed):
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def authorize_call(caller: Caller, permissions: Permissions, call: str, query: str) -> None:
    """Let a caller pass whose permissions are documented to be enough; raises Graph's 403 for everybody else."""
    declared = permissions.declared(call, query)
    if not declared:
        raise GraphError(403, "Authorization_RequestDenied", f"infra/permissions.json does not declare '{call}'.")
    if not all(one.is_allowed_to(caller.roles) for one in declared):
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _unauthenticated(message: str) -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": 'Bearer realm=""'})
