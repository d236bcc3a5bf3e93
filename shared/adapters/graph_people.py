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
# Graph knows sponsors of agent identities only, and says 400 of others.
_NO_SPONSORS = (400, 404)


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
        of_sponsors, *of_owners = paths_behind(principal)
        sponsors, *owners = await asyncio.gather(
            self._rows(of_sponsors, MOST_BEHIND, missing=_NO_SPONSORS),
            *(self._rows(path, MOST_BEHIND, missing=(404,)) for path in of_owners),
        )
        return await self._with_groups(sponsors), _people(row for rows in owners for row in rows)

    async def told(self, principal: Principal, answers: Sequence[Answer]) -> tuple[Sequence[Person], Sequence[Person]]:
        """The same from answers to `paths_behind`; what they leave open is asked about alone."""
        of_sponsors, *of_owners = answers
        if _is_cut(answers):
            return await self.people_behind(principal)
        owners = [row for answer in of_owners for row in _rows_of(answer, missing=(404,))]
        return await self._with_groups(_rows_of(of_sponsors, missing=_NO_SPONSORS)), _people(owners)

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


def paths_behind(principal: Principal) -> tuple[str, ...]:
    """Where the sponsors are, and then the owners of everything that can sign in as it."""
    own = f"/v1.0/servicePrincipals/{principal.principal_id}"
    applications = filter(None, dict.fromkeys((principal.app_id, principal.blueprint_id)))
    owned = (own, *(f"/v1.0/applications(appId='{app_id}')" for app_id in applications))
    return (f"{own}/sponsors?$select={FIELDS}", *(f"{path}/owners?$select={FIELDS}" for path in owned))


def _rows_of(answer: Answer, missing: Sequence[int]) -> Sequence[Mapping[str, Any]]:
    rows: Sequence[Mapping[str, Any]] = [] if answer.status in missing else _expect(answer)["value"]
    return rows


def _is_cut(answers: Iterable[Answer]) -> bool:
    return any(isinstance(one.document, dict) and "@odata.nextLink" in one.document for one in answers)


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
