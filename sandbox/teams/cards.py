"""Where a card's actions are, and whose client refreshes it by itself."""

from collections.abc import Iterator, Sequence

from sandbox.teams.records import Json, Person

LARGEST_AUDIENCE = 60


def action_with(card: Json | None, verb: str) -> Json | None:
    """The `Action.Execute` with a verb, wherever the card keeps it; `refresh` may be the card's own."""
    if card is None:
        return None
    return next((action for action in _actions(card) if action.get("verb") == verb), None)


def pressed(action: Json | None, verb: str, data: Json, inputs: Json) -> Json:
    """The action as an invoke carries it: inputs lie over its data."""
    about = action or {}
    return {
        "type": "Action.Execute",
        "id": about.get("id", ""),
        "title": about.get("title", ""),
        "verb": verb,
        "data": {**data, **inputs},
    }


def refreshes_itself(card: Json | None, person: Person, members: Sequence[Person]) -> bool:
    """Whether this person's client asks for a fresh card without a click; people count by the bot's ids for them."""
    refresh = (card or {}).get("refresh")
    if not isinstance(refresh, dict) or not isinstance(refresh.get("action"), dict):
        return False
    listed = refresh.get("userIds")
    if listed is None:
        return len(members) <= LARGEST_AUDIENCE
    return person.mri in listed[:LARGEST_AUDIENCE]


def _actions(node: object) -> Iterator[Json]:
    if isinstance(node, list):
        for part in node:
            yield from _actions(part)
    elif isinstance(node, dict):
        if node.get("type") == "Action.Execute":
            yield node
        for part in node.values():
            yield from _actions(part)
