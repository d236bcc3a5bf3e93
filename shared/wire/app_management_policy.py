"""Graph's app management policy in our words; what is not understood is nonsense, and never a policy without limits."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from shared.domain.posture.estate_facts import OwnPolicy, Policy
from shared.domain.posture.lifetimes import lifetime_days
from shared.errors import RetryLaterError
from shared.wire.inventory import parse_moment

_KINDS = {
    "passwordAddition": "blocks_secrets",
    "customPasswordAddition": "blocks_custom_secrets",
    "passwordLifetime": "max_secret_days",
    "asymmetricKeyLifetime": "max_certificate_days",
}
_ENABLED = "enabled"
_STATES = frozenset({_ENABLED, "disabled"})


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _Restriction(_Part):
    """One rule for credentials; it binds what was made after a date, and nothing while it is not enabled."""

    restriction_type: str
    state: Literal["enabled", "disabled", "unknownFutureValue"] | None = None
    max_lifetime: str | None = None
    restrict_for_apps_created_after_date_time: str | None = None

    @property
    def days(self) -> int | None:
        """The lifetime that it allows; Entra wants less than that."""
        return None if self.max_lifetime is None else lifetime_days(self.max_lifetime)


class _Restrictions(_Part):
    password_credentials: tuple[_Restriction, ...] | None = None
    key_credentials: tuple[_Restriction, ...] | None = None

    @property
    def understood(self) -> tuple[_Restriction, ...]:
        """Those that are about lifetimes and kinds of credentials."""
        both = (*(self.password_credentials or ()), *(self.key_credentials or ()))
        return tuple(one for one in both if one.restriction_type in _KINDS)


class _Document(_Part):
    is_enabled: StrictBool
    application_restrictions: _Restrictions


class _Target(_Part):
    id: str = Field(min_length=1)


class _OwnDocument(_Part):
    id: str = Field(min_length=1)
    is_enabled: StrictBool
    restrictions: _Restrictions | None = None
    applies_to: tuple[_Target, ...] | None = None


_TARGETS = TypeAdapter(list[_Target])


def parse_app_management_policy(document: Any) -> Policy:  # noqa: ANN401 - JSON from outside
    """The default policy, as it binds applications.

    Raises:
        RetryLaterError: `graph-answered-nonsense`: it is not a policy, or says a lifetime that nobody can read.
    """
    try:
        parsed = _Document.model_validate(document)
    except ValidationError as error:
        raise RetryLaterError("graph-answered-nonsense", "an app management policy") from error
    return _policy(parsed.application_restrictions, enabled=parsed.is_enabled)


def parse_own_policy(document: Any, applies_to: Collection[str] | None = None) -> OwnPolicy:  # noqa: ANN401 - as above
    """A policy of single applications; `applies_to` where it was read alone, else what the document shows of it.

    A restriction without a state neither holds nor lifts anything, and counts as not named.

    Raises:
        RetryLaterError: `graph-answered-nonsense`: as for the default, or nothing says what it applies to.
    """
    try:
        parsed = _OwnDocument.model_validate(document)
    except ValidationError as error:
        raise RetryLaterError("graph-answered-nonsense", "an app management policy") from error
    if applies_to is None:
        if parsed.applies_to is None:
            raise RetryLaterError("graph-answered-nonsense", "an app management policy for nobody knows whom")
        applies_to = [one.id for one in parsed.applies_to]
    restrictions = parsed.restrictions or _Restrictions()
    named = {_KINDS[one.restriction_type] for one in restrictions.understood if one.state in _STATES}
    ids = frozenset(one.lower() for one in applies_to)
    return OwnPolicy(_policy(restrictions, enabled=parsed.is_enabled), frozenset(named), ids)


def parse_targets(values: Any) -> list[str]:  # noqa: ANN401 - as above
    """The object ids in a list of what a policy applies to. Raises as `parse_own_policy` does."""
    try:
        return [one.id for one in _TARGETS.validate_python(values)]
    except ValidationError as error:
        raise RetryLaterError("graph-answered-nonsense", "what an app management policy applies to") from error


def _policy(restrictions: _Restrictions, *, enabled: bool) -> Policy:
    enforced = [one for one in restrictions.understood if one.state == _ENABLED]
    kinds = {one.restriction_type for one in enforced}
    return Policy(
        enabled,
        _shortest(enforced, "passwordLifetime"),
        _shortest(enforced, "asymmetricKeyLifetime"),
        blocks_secrets="passwordAddition" in kinds,
        blocks_custom_secrets="customPasswordAddition" in kinds,
        binds_after=_binds_after(enforced),
    )


def _shortest(enforced: Iterable[_Restriction], kind: str) -> int | None:
    lifetimes = [one.days for one in enforced if one.restriction_type == kind]
    if any(days is None for days in lifetimes):
        raise RetryLaterError("graph-answered-nonsense", "a lifetime in an app management policy")
    return min((days for days in lifetimes if days is not None), default=None)


def _binds_after(enforced: Iterable[_Restriction]) -> datetime | None:
    """The latest of the dates: older applications escape at least one rule."""
    dates = (parse_moment(one.restrict_for_apps_created_after_date_time) for one in enforced)
    return max((date for date in dates if date is not None), default=None)
