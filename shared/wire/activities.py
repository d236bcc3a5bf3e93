"""Activities of the Bot Connector: parsed and checked in one step; and the answers to a click on a card.

Shapes: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference and
https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/overview
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from shared.domain.activities import Activity, ActivityKind, Bot, CardAction, ConversationKind, Person
from shared.errors import RejectedError

CHANNEL_ID = "msteams"
CARD_ACTION = "adaptiveCard/action"
LONGEST_REASON = 4000
UNCLEAR = "?"

_LONGEST_TEXT = 1024
_LONGEST_TOKEN = 4096
_LONGEST_SSO_TOKEN = 32_768
_LONGEST_DAY = 32
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KINDS = {
    "invoke": ActivityKind.INVOKE,
    "message": ActivityKind.MESSAGE,
    "conversationUpdate": ActivityKind.CONVERSATION_UPDATE,
    "installationUpdate": ActivityKind.INSTALLATION_UPDATE,
}
_CONVERSATIONS = {
    "channel": ConversationKind.CHANNEL,
    "personal": ConversationKind.PERSONAL,
    "groupChat": ConversationKind.GROUP,
}
_INSTALLATIONS = {"add": True, "add-upgrade": True, "remove": False, "remove-upgrade": False}


@dataclass(frozen=True, slots=True)
class Assurance:
    """What a genuine token vouches for: where its sender answers, and the channels its key may sign for."""

    service_url: str
    endorsements: frozenset[str]


def parse_activity(body: bytes, assurance: Assurance, bot: Bot) -> Activity:
    """The activity, if the token vouches for it and it is meant for us; what is unknown to Tether is no error.

    Raises:
        RejectedError: `malformed-activity` when it is not one JSON object, `forbidden` when it is not ours.
    """
    fields = _document(body)
    _check(fields, assurance, bot)
    kind = _KINDS.get(_text(fields.get("type")), ActivityKind.OTHER)
    person = _person(fields)
    if kind is ActivityKind.INVOKE and person.object_id is None:
        raise RejectedError("forbidden", "from.aadObjectId is no object id")
    name = _text(fields.get("name"))
    return Activity(
        kind=kind,
        name=name,
        activity_id=_text(fields.get("id")),
        service_url=assurance.service_url,
        conversation_id=_text(_at(fields, "conversation", "id")),
        conversation_kind=_CONVERSATIONS.get(_text(_at(fields, "conversation", "conversationType"))),
        channel_id=_text(_at(fields, "channelData", "channel", "id")) or None,
        team_id=_text(_at(fields, "channelData", "team", "id")) or None,
        tenant_id=bot.tenant_id,
        person=person,
        reply_to=_text(fields.get("replyToId")) or None,
        action=_card_action(fields.get("value")) if kind is ActivityKind.INVOKE and name == CARD_ACTION else None,
        installed=_installed(kind, fields, bot),
    )


def _document(body: bytes) -> dict[str, Any]:
    try:
        # The first reader refuses what is too deep, NaN or not UTF-8; the second sees a name that is there twice.
        from_json(body, allow_inf_nan=False)
        document = json.loads(body, object_pairs_hook=_each_name_once)
    except ValueError as error:
        raise RejectedError("malformed-activity", "the body is not sound JSON") from error
    if not isinstance(document, dict):
        raise RejectedError("malformed-activity", "the body is not an object")
    return document


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name appears twice")
    return found


def _check(fields: dict[str, Any], assurance: Assurance, bot: Bot) -> None:
    service_url = fields.get("serviceUrl")
    if not isinstance(service_url, str) or service_url.removesuffix("/") != assurance.service_url.removesuffix("/"):
        raise RejectedError("forbidden", "the token was issued for another serviceUrl")
    if not bot.trusts(service_url):
        raise RejectedError("forbidden", "serviceUrl is not on an allowed host")
    if fields.get("channelId") != CHANNEL_ID:
        raise RejectedError("forbidden", "channelId is not msteams")
    if CHANNEL_ID not in assurance.endorsements:
        raise RejectedError("forbidden", "the key is not endorsed for msteams")
    if not _is_ours(_at(fields, "channelData", "tenant", "id"), bot):
        raise RejectedError("forbidden", "channelData names another tenant")
    of_conversation = _at(fields, "conversation", "tenantId")
    if of_conversation is not None and not _is_ours(of_conversation, bot):
        raise RejectedError("forbidden", "the conversation is of another tenant")


def _is_ours(tenant_id: object, bot: Bot) -> bool:
    return isinstance(tenant_id, str) and tenant_id.lower() == bot.tenant_id.lower()


def _person(fields: dict[str, Any]) -> Person:
    object_id = _text(_at(fields, "from", "aadObjectId")).lower()
    return Person(
        object_id=object_id if _GUID.fullmatch(object_id) else None,
        teams_id=_text(_at(fields, "from", "id")),
        name=_text(_at(fields, "from", "name")),
    )


def _card_action(value: object) -> CardAction | None:
    data = _at(value, "action", "data")
    verb = _text(_at(value, "action", "verb"))
    token = _text(_at(data, "token"), _LONGEST_TOKEN)
    typed, chosen = _at(data, "reason"), _at(data, "until")
    reason = "" if typed is None else _text(typed, LONGEST_REASON)
    if _at(value, "action", "type") != "Action.Execute" or not verb or not token or (typed and not reason):
        return None
    return CardAction(
        verb=verb,
        token=token,
        reason=reason.strip(),
        automatic=_at(value, "trigger") == "automatic",
        sso_token=_text(_at(value, "authentication", "token"), _LONGEST_SSO_TOKEN) or None,
        sign_in_state=_text(_at(value, "state")) or None,
        until="" if chosen in (None, "") else _text(chosen, _LONGEST_DAY) or UNCLEAR,
    )


def _installed(kind: ActivityKind, fields: dict[str, Any], bot: Bot) -> bool | None:
    if kind is ActivityKind.INSTALLATION_UPDATE:
        return _INSTALLATIONS.get(_text(fields.get("action")))
    if kind is not ActivityKind.CONVERSATION_UPDATE:
        return None
    if _names(fields.get("membersAdded"), bot):
        return True
    return False if _names(fields.get("membersRemoved"), bot) else None


def _names(members: object, bot: Bot) -> bool:
    ids = [_text(_at(member, "id")) for member in members] if isinstance(members, list) else []
    return bot.teams_id.lower() in (member_id.lower() for member_id in ids)


def _at(value: object, *path: str) -> Any:  # noqa: ANN401 - as the vendor sends it
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: object, longest: int = _LONGEST_TEXT) -> str:
    return value if isinstance(value, str) and len(value) <= longest else ""


def card_answer(card: dict[str, Any]) -> dict[str, Any]:
    """The card that replaces the clicked one, for the person who clicked."""
    return _answer(200, "application/vnd.microsoft.card.adaptive", card)


def message_answer(text: str) -> dict[str, Any]:
    """A sentence for the person who clicked; the card stays as it is."""
    return _answer(200, "application/vnd.microsoft.activity.message", text)


def login_request(connection_name: str, resource_uri: str, sign_in_url: str | None, request_id: str) -> dict[str, Any]:
    """A demand for a single sign-on token; Teams sends the same click again, with it or with the code of a sign-in."""
    text = "Sign in to decide."
    button = {"type": "signin", "title": "Sign in", "text": text, "value": sign_in_url}
    card = {
        "text": text,
        "connectionName": connection_name,
        "tokenExchangeResource": {"id": request_id, "uri": resource_uri, "providerId": ""},
        "buttons": [button] if sign_in_url else [],
    }
    return _answer(401, "application/vnd.microsoft.activity.loginRequest", card)


def _answer(status: int, kind: str, value: object) -> dict[str, Any]:
    return {"statusCode": status, "type": kind, "value": value}
