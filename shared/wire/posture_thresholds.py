"""Thresholds of `posture.yaml`: a key for each limit, in the limit's own words, and how far each may go."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, StrictInt
from pydantic_core import PydanticCustomError

from shared.domain.posture.limits import Limits
from shared.wire.yaml_document import Place, Strict

YEARS = 3660
_DAYS = Field(default=None, ge=1, le=YEARS)
_LADDERS = (
    ("stale", "stale_high"),
    ("max_secret_days", "long_secret_days", "very_long_secret_days"),
    ("unused_credential", "unused_credential_high"),
)


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def _issuer(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_address = parts.scheme == "https" and bool(parts.hostname) and not parts.query and "@" not in parts.netloc
    except ValueError:
        is_address = False
    if not is_address:
        raise PydanticCustomError("https-url", "not the address of an issuer")
    return text.rstrip("/")


def _stages(days: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(days), reverse=True))


Days = StrictInt | None
Stages = Annotated[tuple[Annotated[StrictInt, Field(ge=1, le=365)], ...], AfterValidator(_stages)]
Issuers = frozenset[Annotated[str, AfterValidator(_issuer)]]


class Thresholds(Strict):
    """What is written; nothing for a limit that keeps its default."""

    model_config = ConfigDict(alias_generator=_kebab, extra="forbid")

    stale: Days = _DAYS
    stale_high: Days = _DAYS
    never_used: Days = _DAYS
    switched_off: Days = _DAYS
    agent_stale: Days = _DAYS
    expired_grace: Days = Field(default=None, ge=0, le=365)
    expiring: Stages | None = Field(default=None, min_length=1, max_length=10)
    max_secret_days: Days = _DAYS
    long_secret_days: Days = _DAYS
    very_long_secret_days: Days = _DAYS
    max_certificate_days: Days = _DAYS
    rotate_after: Days = _DAYS
    live_credentials: Days = Field(default=None, ge=1, le=20)
    overlap: Days = Field(default=None, ge=1, le=365)
    unused_credential: Days = _DAYS
    unused_credential_high: Days = _DAYS
    federated_limit: Days = Field(default=None, ge=1, le=20)
    access_unused: Days = Field(default=None, ge=1, le=396)
    access_never_used: Days = Field(default=None, ge=1, le=396)
    dormant: Days = Field(default=None, ge=2, le=396)
    wake_up: Days = Field(default=None, ge=1, le=90)
    season_slack: Days = Field(default=None, ge=0, le=90)
    shared_identity: Days = Field(default=None, ge=1, le=90)
    being_built: Days = Field(default=None, ge=0, le=365)
    bypass_minutes: Days = Field(default=None, ge=1, le=120)
    smallest_rsa: Days = Field(default=None, ge=1024, le=16384)
    trusted_issuers: Issuers | None = Field(default=None, min_length=1, max_length=100)


def limits_of(written: Thresholds) -> Limits:
    """The limits, with what is written in place of the defaults."""
    return replace(Limits(), **{name: getattr(written, name) for name in _given(written)})


def untenable(written: Thresholds) -> Iterator[tuple[Place, str]]:
    """Limits that make no sense together, blamed on one that was written."""
    limits = limits_of(written)
    for ladder in _LADDERS:
        for lower, higher in pairwise(ladder):
            low, high = getattr(limits, lower), getattr(limits, higher)
            if low >= high:
                blamed = higher if higher in _given(written) else lower
                wrong = f"{_kebab(higher)} ({high}) has to be more than {_kebab(lower)} ({low})"
                yield ("thresholds", _kebab(blamed)), f"{wrong}; change one of the two"


def _given(written: Thresholds) -> set[str]:
    return {name for name in written.model_fields_set if getattr(written, name) is not None}
