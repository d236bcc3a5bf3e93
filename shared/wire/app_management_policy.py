"""Graph's app management policy in our words; what is not understood is nonsense, and never a policy without limits."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, StrictBool, ValidationError
from pydantic.alias_generators import to_camel

from shared.domain.posture.estate_facts import Policy
from shared.domain.posture.lifetimes import lifetime_days
from shared.errors import RetryLaterError
from shared.wire.inventory import parse_moment

_KINDS = frozenset({"passwordAddition", "customPasswordAddition", "passwordLifetime", "asymmetricKeyLifetime"})


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


class _Document(_Part):
    is_enabled: StrictBool
    application_restrictions: _Restrictions


def parse_app_management_policy(document: Any) -> Policy:  # noqa: ANN401 - JSON from outside
    """The default policy, as it binds applications.

    Raises:
        RetryLaterError: `graph-answered-nonsense`: it is not a policy, or says a lifetime that nobody can read.
    """
    try:
        parsed = _Document.model_validate(document)
    except ValidationError as error:
        raise RetryLaterError("graph-answered-nonsense", "an app management policy") from error
    restrictions = parsed.application_restrictions
    enforced = [
        one
        for one in (*(restrictions.password_credentials or ()), *(restrictions.key_credentials or ()))
        if one.state == "enabled" and one.restriction_type in _KINDS
    ]
    kinds = {one.restriction_type for one in enforced}
    return Policy(
        parsed.is_enabled,
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
