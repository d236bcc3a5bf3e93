"""Who is in a team, channel or chat, as the connector shows it."""

from collections.abc import Mapping

from sandbox.teams.errors import ConnectorError, bad_syntax, not_in_roster
from sandbox.teams.ids import split_conversation
from sandbox.teams.records import Json, Person
from sandbox.teams.state import TeamsState
from sandbox.teams.world import TEAM_ID
from sandbox.tenant import TENANT_ID

SMALLEST_PAGE, DEFAULT_PAGE, LARGEST_PAGE = 50, 200, 500


def roster_of(state: TeamsState, conversation: str) -> tuple[str, list[Person]]:
    """The channel, chat or team named, and its people; refused where the app is not installed."""
    place, _ = split_conversation(conversation)
    if place == TEAM_ID:
        if not state.team_installed:
            raise not_in_roster()
        return place, [person for person in state.people.values() if person.member]
    place = state.place(conversation)
    state.admit(place)
    return place, state.roster(place)


def find_member(state: TeamsState, people: list[Person], identifier: str) -> Person:
    """Somebody of a roster by either id or by user principal name."""
    known = state.person(identifier)
    for person in people:
        if person is known or (person.email and person.email == identifier.lower()):
            return person
    raise ConnectorError(404, "MemberNotFoundInConversation", "The member was not found in the conversation.")


def members_page(people: list[Person], query: Mapping[str, str]) -> Json:
    """One page of a roster; pages hold 50 to 500 whatever is asked for."""
    start = _start(query.get("continuationToken"))
    asked = query.get("pageSize", "")
    size = max(SMALLEST_PAGE, min(LARGEST_PAGE, int(asked) if asked.isdecimal() else DEFAULT_PAGE))
    page: Json = {"members": [member_json(person) for person in people[start : start + size]]}
    if start + size < len(people):
        page["continuationToken"] = f"from-{start + size}"
    return page


def member_json(person: Person) -> Json:
    """A person as rosters show them."""
    given, _, surname = person.name.partition(" ")
    return {
        "id": person.mri,
        "name": person.name,
        "givenName": given,
        "surname": surname,
        "objectId": person.id,
        "aadObjectId": person.id,
        "email": person.email,
        "userPrincipalName": person.email,
        "tenantId": TENANT_ID,
        "userRole": "user",
    }


def _start(token: str | None) -> int:
    if not token:
        return 0
    digits = token.removeprefix("from-")
    if digits == token or not digits.isdecimal():
        raise bad_syntax("The continuation token is not one of this roster.")
    return int(digits)
