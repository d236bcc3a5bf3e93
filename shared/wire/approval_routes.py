"""`approval-routes.yaml`: checked against its schema; every error names the file, the line and the fix."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.domain.identity_map import is_object_id
from shared.domain.routes import ApprovalRoutes, BreakGlass, Route, Timing
from shared.wire.graph_notifications import ObjectId
from shared.wire.yaml_document import Name, Place, Strict, YamlDocument

ANY_GROUP = "*"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_FIXES = {
    "channel-id": "copy the channel's id from Teams, such as 19:a11a0000000000000000000000000001@thread.tacv2",
    "duration": "write a number and a unit: 30s, 15m, 4h or 1d",
    "key-setting": "write a name such as GATEWAY_KEY_DBA, and put the key itself into the app setting of that name",
    "string_pattern_mismatch": "write the object id of a person, such as 6d1c0000-0000-4000-8000-000000000001",
    "string_too_long": "shorten it",
    "too_long": "mention at most 5 people",
    "too_short": "add a route",
}


def _channel_id(text: str) -> str:
    if not re.fullmatch(r"19:[A-Za-z0-9_-]{1,150}@thread\.(tacv2|skype)", text):
        raise PydanticCustomError("channel-id", "not the id of a channel")
    return text


def _key_setting(text: str) -> str:
    if not re.fullmatch(r"GATEWAY_KEY_[A-Z0-9_]{1,100}", text):
        raise PydanticCustomError("key-setting", "not the name of a setting for a gateway key")
    return text


def _duration(value: object) -> timedelta:
    written = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", value) if isinstance(value, str) else None
    if not written:
        raise PydanticCustomError("duration", "not a duration")
    return timedelta(**{_UNITS[written[2]]: int(written[1])})


ReviewerGroup = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
EntraGroup = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
ChannelId = Annotated[str, AfterValidator(_channel_id)]
KeySetting = Annotated[str, AfterValidator(_key_setting)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]


class _Times(Strict):
    remind_after: Duration | None = Field(default=None, alias="remind-after")
    escalate_after: Duration | None = Field(default=None, alias="escalate-after")
    expire_after: Duration | None = Field(default=None, alias="expire-after")

    def over(self, timing: Timing) -> Timing:
        """The timing with what is written here in its place; raises `ValueError` when they do not go together."""
        return replace(timing, **{name: value for name in _Times.model_fields if (value := getattr(self, name))})


class _Route(_Times):
    reviewer_group: ReviewerGroup = Field(alias="reviewer-group")
    approvers: EntraGroup | None = None
    channel: Name
    mention: list[ObjectId] = Field(default=[], max_length=5)
    personal_cards: bool = Field(default=False, alias="personal-cards")
    key_setting: KeySetting | None = Field(default=None, alias="key-setting")
    escalate_to: Name | None = Field(default=None, alias="escalate-to")

    @property
    def identity(self) -> str:
        return self.reviewer_group.lower() if is_object_id(self.reviewer_group) else self.reviewer_group


class _BreakGlass(Strict):
    approvers: EntraGroup
    channel: Name
    key_setting: KeySetting | None = Field(default=None, alias="key-setting")


class _Document(Strict):
    channels: dict[Name, ChannelId]
    routes: list[_Route] = Field(min_length=1)
    security_channel: Name = Field(alias="security-channel")
    defaults: _Times = _Times()
    break_glass: _BreakGlass | None = Field(default=None, alias="break-glass")


def parse_approval_routes(text: str, file: str) -> ApprovalRoutes:
    """The operator's routes.

    Raises:
        SettingsError: naming file, line, what is wrong and the fix.
    """
    written = YamlDocument.parse(text, file, "docs/approval-routes.md")
    document = written.checked(_Document, _FIXES)
    written.refuse(
        (*_untimely(document), *_unknown_channels(document), *_wrong_approvers(document), *_repeated(document))
    )
    return _domain(document)


def _untimely(document: _Document) -> Iterator[tuple[Place, str]]:
    """Times that do not go together, blamed on who wrote them."""
    try:
        defaults = document.defaults.over(Timing())
    except ValueError as error:
        yield ("defaults",), f"{error}; change one of the three"
        return
    for number, route in enumerate(document.routes):
        try:
            route.over(defaults)
        except ValueError as error:
            yield ("routes", number), f"{error}, together with the defaults; change one of the three here"


def _unknown_channels(document: _Document) -> Iterator[tuple[Place, str]]:
    named: list[tuple[Place, str | None]] = [(("security-channel",), document.security_channel)]
    for number, route in enumerate(document.routes):
        named.append((("routes", number, "channel"), route.channel))
        named.append((("routes", number, "escalate-to"), route.escalate_to))
        asked = document.channels.get(route.channel)
        if asked and route.escalate_to and document.channels.get(route.escalate_to) == asked:
            yield ("routes", number, "escalate-to"), "the channel that is asked already; name another, or none"
    if document.break_glass:
        named.append((("break-glass", "channel"), document.break_glass.channel))
    for place, name in named:
        if name is not None and name not in document.channels:
            yield place, f"no channel is called {name}; add it to channels, or correct its spelling"


def _wrong_approvers(document: _Document) -> Iterator[tuple[Place, str]]:
    for number, route in enumerate(document.routes):
        if route.reviewer_group == ANY_GROUP:
            if route.approvers:
                yield (
                    ("routes", number, "approvers"),
                    "each group that '*' serves is its own approvers; remove this key",
                )
            if route.key_setting:
                yield ("routes", number, "key-setting"), "a key belongs to one group, not to '*'; remove this key"
        elif not route.approvers and not is_object_id(route.reviewer_group):
            yield (
                ("routes", number),
                f"nobody may approve for {route.reviewer_group}; add approvers, an Entra group's object id or name",
            )


def _repeated(document: _Document) -> Iterator[tuple[Place, str]]:
    groups: set[str] = set()
    keys = {document.break_glass.key_setting} if document.break_glass else set()
    for number, route in enumerate(document.routes):
        if route.identity in groups:
            yield ("routes", number, "reviewer-group"), f"{route.reviewer_group} has a route already; keep one"
        if route.key_setting and route.key_setting in keys:
            yield (
                ("routes", number, "key-setting"),
                f"{route.key_setting} belongs to another group; give each group a key of its own",
            )
        groups.add(route.identity)
        keys.add(route.key_setting)


def _domain(document: _Document) -> ApprovalRoutes:
    defaults = document.defaults.over(Timing())
    routes = {route.identity: _route(route, document.channels, defaults) for route in document.routes}
    return ApprovalRoutes(
        fallback=routes.pop(ANY_GROUP, None),
        routes=tuple(routes.values()),
        security_channel=document.channels[document.security_channel],
        break_glass=_break_glass(document.break_glass, document.channels) if document.break_glass else None,
    )


def _break_glass(written: _BreakGlass, channels: dict[str, str]) -> BreakGlass:
    return BreakGlass(written.approvers, channels[written.channel], written.key_setting)


def _route(route: _Route, channels: dict[str, str], defaults: Timing) -> Route:
    own_approvers = route.reviewer_group if is_object_id(route.reviewer_group) else ""
    return Route(
        reviewer_group=route.reviewer_group,
        approvers=route.approvers or own_approvers,
        channel=channels[route.channel],
        mention=tuple(dict.fromkeys(route.mention)),
        personal_cards=route.personal_cards,
        key_setting=route.key_setting,
        escalation_channel=channels[route.escalate_to] if route.escalate_to else None,
        timing=route.over(defaults),
    )
