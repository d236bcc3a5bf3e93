"""Gives Tether's managed identity the Graph permissions that it needs, and no other.

Without --apply nothing is changed: you see what would be. Run it as often as you like; what is there is left alone.

  az login --tenant YOUR-TENANT          # as Privileged Role Administrator or Global Administrator
  python -m infra.grant_permissions --principal OBJECT-ID             # what would change
  python -m infra.grant_permissions --principal OBJECT-ID --apply     # do it
  python -m infra.grant_permissions --principal OBJECT-ID --check     # exit code 1 if it holds more or less

OBJECT-ID is the principal id of the managed identity: `az identity show --query principalId`, or the portal's page
"Enterprise applications" of that identity. Permissions are never taken away by this program; what is too much is named
with the line that removes it.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from infra.permissions import Permission, Permissions, read_permissions
from infra.stopped import StoppedError
from shared.domain.clouds import CLOUDS, CloudName

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ADVICE = {
    401: "sign in again: az login --tenant YOUR-TENANT",
    403: "sign in as somebody with the role Privileged Role Administrator, which may consent to Graph permissions",
    404: "check --principal: it is the object id of the managed identity, not its client id",
}
Connect = Callable[[argparse.Namespace], httpx.Client]


@dataclass(frozen=True, slots=True)
class Difference:
    """What the identity lacks, and what it holds too much: names, and the id of the assignment."""

    missing: tuple[Permission, ...]
    surplus: tuple[tuple[str, str], ...]


class Graph:
    """The few calls this needs, each failure with its next step."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str) -> dict[str, Any]:
        """The JSON behind a path."""
        return self._checked("GET", path)

    def post(self, path: str, body: object) -> dict[str, Any]:
        """What was made of a body."""
        return self._checked("POST", path, body)

    def rows(self, path: str) -> list[dict[str, Any]]:
        """Every row of a list, page by page."""
        found: list[dict[str, Any]] = []
        while path:
            page = self.get(path)
            found += page["value"]
            path = page.get("@odata.nextLink", "")
        return found

    def _checked(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise StoppedError(f"Graph cannot be reached at {self._client.base_url}: {error}") from error
        if answer.status_code >= 400:
            advice = _ADVICE.get(answer.status_code, "see the message")
            raise StoppedError(f"Graph said {answer.status_code} to {method} {path}: {_message(answer)}; {advice}")
        found: dict[str, Any] = answer.json()
        return found


def main(arguments: Sequence[str] | None = None, connect: Connect | None = None) -> int:
    """The exit code: 0 done or nothing to do, 1 when --check finds a difference, 2 when it could not be told."""
    asked = _parser().parse_args(arguments)
    try:
        with (connect or _signed_in)(asked) as client:
            return _run(Graph(client), asked, read_permissions())
    except StoppedError as error:
        print(f"stopped: {error}", file=sys.stderr)
        return 2


def _run(graph: Graph, asked: argparse.Namespace, permissions: Permissions) -> int:
    wanted = permissions.of(asked.capability or permissions.capabilities)
    holder = graph.get(f"/v1.0/servicePrincipals/{asked.principal}?$select=id,displayName")
    resource = graph.get(f"/v1.0/servicePrincipals(appId='{permissions.resource}')?$select=id,appRoles")
    names = {role["id"]: role["value"] for role in resource["appRoles"]}
    for one in wanted:
        if names.get(one.role_id) != one.name:
            there = names.get(one.role_id, "nothing")
            raise StoppedError(f"in this cloud, {one.role_id} is {there} and not {one.name}: correct permissions.json")
    found = _difference(graph, holder["id"], resource["id"], wanted, names)
    print(f"{holder.get('displayName') or holder['id']} needs {len(wanted)} Graph permissions:")
    _tell(wanted, found, f"{CLOUDS[CloudName(asked.cloud)].graph_url}/v1.0/servicePrincipals/{holder['id']}")
    if asked.check:
        return 1 if found.missing or found.surplus else 0
    for one in found.missing if asked.apply else ():
        body = {"principalId": holder["id"], "resourceId": resource["id"], "appRoleId": one.role_id}
        graph.post(f"/v1.0/servicePrincipals/{holder['id']}/appRoleAssignments", body)
        print(f"granted   {one.name}")
    if found.missing and not asked.apply:
        print("\nNothing was changed. Add --apply to grant what is missing.")
    if found.missing and asked.apply:
        print("\nTokens that were issued before do not hold them yet: restart the function app.")
    return 0


def _difference(
    graph: Graph, holder_id: str, resource_id: str, wanted: Sequence[Permission], names: dict[str, str]
) -> Difference:
    rows = graph.rows(f"/v1.0/servicePrincipals/{holder_id}/appRoleAssignments")
    held = {row["appRoleId"]: row["id"] for row in rows if row["resourceId"] == resource_id}
    needed = {one.role_id for one in wanted}
    surplus = ((names.get(role_id, role_id), row_id) for role_id, row_id in held.items() if role_id not in needed)
    return Difference(tuple(one for one in wanted if one.role_id not in held), tuple(sorted(surplus)))


def _tell(wanted: Sequence[Permission], found: Difference, holder_url: str) -> None:
    for one in wanted:
        state = "missing" if one in found.missing else "held"
        print(f"  {state:8}{one.name}\n          {one.why}")
    for name, row_id in found.surplus:
        print(f"  SURPLUS {name}: Tether does not need it; remove it with")
        print(f"          az rest --method delete --url {holder_url}/appRoleAssignments/{row_id}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.grant_permissions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    capabilities = read_permissions().capabilities
    parser.add_argument("--principal", required=True, type=_guid, help="object id of the managed identity")
    parser.add_argument(
        "--capability",
        action="append",
        choices=list(capabilities),
        help="only what this needs, and may be given again: "
        + "; ".join(f"{name}: {sentence}" for name, sentence in capabilities.items())
        + " Without it: everything.",
    )
    parser.add_argument(
        "--cloud", choices=list(CloudName), default=os.environ.get("AZURE_CLOUD") or "AzureCloud", help="your cloud"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--apply", action="store_true", help="grant what is missing")
    how.add_argument("--check", action="store_true", help="change nothing; exit code 1 on any difference")
    return parser


def _guid(text: str) -> str:
    if not _GUID.fullmatch(text):
        raise argparse.ArgumentTypeError("write the object id, such as 7e7e0000-0000-4000-8000-0000000000aa")
    return text.lower()


def _signed_in(asked: argparse.Namespace) -> httpx.Client:
    from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415 - not needed to read --help
    from azure.identity import AzureCliCredential  # noqa: PLC0415

    cloud = CLOUDS[CloudName(asked.cloud)]
    try:
        token = AzureCliCredential().get_token(cloud.graph_scope).token
    except ClientAuthenticationError as error:
        raise StoppedError("the Azure CLI is not signed in: az login --tenant YOUR-TENANT") from error
    return httpx.Client(base_url=cloud.graph_url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0)


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return answer.reason_phrase


if __name__ == "__main__":
    sys.exit(main())
