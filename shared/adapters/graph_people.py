"""People in Entra's directory: who is in a group, and who stands behind a service principal or agent identity."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.adapters.json_api import Answer, JsonApi
from shared.domain.approval import Person
from shared.domain.principals import Principal, PrincipalKind
from shared.errors import RetryLaterError
from shared.wire.graph_objects import parse_object

PAGE = 999
# Nobody is left out of this list for its length: whoever is missing in it could approve for themselves.
MOST_BEHIND = 1000
FIELDS = "id,displayName,accountEnabled"


class GraphPeople:
    """Reads of users who matter to an approval; those whose account is shut can neither be asked nor answer."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    async def members(self, group_id: str, most: int) -> Sequence[Person]:
        """See `Directory.members`."""
        path = f"/v1.0/groups/{group_id}/transitiveMembers/microsoft.graph.user"
        rows = await self._rows(f"{path}?$select={FIELDS}&$top={min(most, PAGE)}", most, missing=(404,))
        return _people(rows)[:most]

    async def people_behind(self, principal: Principal) -> tuple[Sequence[Person], Sequence[Person]]:
        """See `Directory.people_behind`. Whoever owns the application, or an agent's blueprint, can sign in as it."""
        own = f"/v1.0/servicePrincipals/{principal.principal_id}"
        applications = filter(None, dict.fromkeys((principal.app_id, principal.blueprint_id)))
        owned = (own, *(f"/v1.0/applications(appId='{app_id}')" for app_id in applications))
        sponsors, *owners = await asyncio.gather(
            # Graph knows sponsors of agent identities only, and says 400 of others.
            self._rows(f"{own}/sponsors?$select={FIELDS}", MOST_BEHIND, missing=(400, 404)),
            *(self._rows(f"{path}/owners?$select={FIELDS}", MOST_BEHIND, missing=(404,)) for path in owned),
        )
        return await self._with_groups(sponsors), _people(row for rows in owners for row in rows)

    async def _with_groups(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Person]:
        """The users, and the members of the groups: a group may be a sponsor."""
        groups = [parse_object(row).id for row in rows if parse_object(row).kind is PrincipalKind.GROUP]
        members = await asyncio.gather(*(self.members(group_id, MOST_BEHIND) for group_id in groups))
        return tuple(dict.fromkeys((*_people(rows), *(person for people in members for person in people))))

    async def _rows(self, path: str, most: int, missing: Sequence[int]) -> Sequence[Mapping[str, Any]]:
        """At least the first so many rows of a list; a list that does not exist is empty."""
        rows: list[Mapping[str, Any]] = []
        while path and len(_people(rows)) < most:
            answer = await self._api.get(path)
            if answer.status in missing:
                return rows
            page = _expect(answer)
            rows += page["value"]
            path = page.get("@odata.nextLink", "")
        return rows


def _people(rows: Iterable[Mapping[str, Any]]) -> Sequence[Person]:
    found = (parse_object(row) for row in rows if _is_user(row))
    people = (one.principal(PrincipalKind.USER) for one in found if not one.state.is_shut)
    return tuple(dict.fromkeys(Person(one.principal_id, one.display_name) for one in people))


def _is_user(row: Mapping[str, Any]) -> bool:
    """A cast collection holds users only, and then does not say so."""
    return bool(row.get("@odata.type", "#microsoft.graph.user") == "#microsoft.graph.user")


def _expect(answer: Answer) -> dict[str, Any]:
    if answer.status >= 400 or not isinstance(answer.document, dict):
        raise RetryLaterError(f"graph-{answer.status}", "an answer that this read does not expect")
    return answer.document
