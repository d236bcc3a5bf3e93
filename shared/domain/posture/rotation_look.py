"""A look at rotation: one application after the other beside what is remembered of it, and the worst news of all."""

import heapq
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.posture.check import Case
from shared.domain.posture.estate_facts import Tenant
from shared.domain.posture.finding import Finding, Verdict
from shared.domain.posture.inventory import App
from shared.domain.posture.limits import Limits
from shared.domain.posture.rotation import CredentialRotation, Rotation, RotationState, rotation
from shared.domain.posture.rotation_ledger import NotedApp, forget_the_gone, note, note_absence
from shared.domain.posture.rotation_news import (
    VAULT,
    AppNews,
    RotationNews,
    completed_unseen,
    kind_of,
    owner_of,
    untold,
    words_of,
)
from shared.domain.posture.vault_judge import Vaulted, VaultJudge


class Worst:
    """The most urgent news of any number, and how many there were."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[AppNews] = []
        self.count = 0

    def add(self, news: AppNews) -> None:
        """Keep it, unless there are enough that are more urgent."""
        self.count += 1
        self._kept.append(news)
        if len(self._kept) > 4 * self._most + 100:
            self._kept = list(self.apps)

    @property
    def apps(self) -> tuple[AppNews, ...]:
        """The most urgent, first of all the worst."""
        return tuple(heapq.nsmallest(self._most, self._kept, key=lambda one: one.urgency))


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look goes by: limits, and the tenant whose policies lower them.

    Unless `is_whole`, what is missing may be there all the same; `tells` if anybody listens.
    """

    at: datetime
    limits: Limits
    tenant: Tenant = field(default_factory=Tenant)
    vaulted: Vaulted = field(default_factory=Vaulted)
    is_whole: bool = True
    tells: bool = True


class RotationLook:
    """Holds nothing of an application unless it is among the worst."""

    def __init__(self, sight: Sight, *, most_listed: int, most_owners: int) -> None:
        self._sight = sight
        self._limits_of = sight.tenant.limits_of(sight.limits)
        self._judge = VaultJudge(sight.vaulted, sight.at, sight.limits)
        self._listed, self._owners = Worst(most_listed), Worst(most_owners)
        self._events: Counter[str] = Counter()
        self.states: Counter[RotationState] = Counter()
        self.apps = 0

    def see(self, before: NotedApp | None, app: App | None) -> NotedApp:
        """What is remembered of the application from now on."""
        if app is not None:
            return self._see(before or NotedApp(app.object_id), app)
        known = before or NotedApp("")
        return note_absence(known, self._sight.at, is_whole=self._sight.is_whole)

    @property
    def news(self) -> RotationNews:
        """What the security team has not heard yet."""
        listed = self._listed
        more = listed.count - len(listed.apps)
        return RotationNews(self._sight.at, listed.apps, more, self._events, self.states)

    @property
    def for_owners(self) -> tuple[AppNews, ...]:
        """What owners have not heard yet, as many applications as owners may hear of at a time."""
        return self._owners.apps

    @property
    def owners_waiting(self) -> int:
        """Applications whose owners have to wait for the next check."""
        return self._owners.count - len(self._owners.apps)

    def unclaimed(self) -> tuple[Finding, ...]:
        """What vaults hand out for no application that is there; to be asked once all were seen."""
        rest = self._judge.judge_rest(is_whole=self._sight.is_whole)
        return tuple(one for one in rest if one.verdict is Verdict.FAIL)

    def _see(self, before: NotedApp, app: App) -> NotedApp:
        self.apps += 1
        is_whole, case = self._sight.is_whole, Case(app, self._sight.at, self._limits_of(app))
        noted = note(case, before, is_whole=is_whole)
        found = rotation(case, noted.retired)
        mismatches = tuple(one for one in self._judge.judge(app) if one.verdict is Verdict.FAIL)
        self.states.update(row.state for row in _rows(found))
        news = AppNews(app.object_id, app.name, _words(case, found, mismatches), found, owner_of(app), mismatches)
        listed = frozenset(one.about.key_id for some in (_rows(found), mismatches) for one in some)
        noted = forget_the_gone(noted, listed, is_whole=is_whole)
        return self._tell(_heard(noted, completed_unseen(found, before) if found else ()), news)

    def _tell(self, noted: NotedApp, news: AppNews) -> NotedApp:
        """Those who are told in person are remembered once they are chosen."""
        fresh, for_owner = untold(news.words, noted.told), untold(news.words, noted.owners_told)
        self._events.update(kind_of(word) for word in fresh)
        if fresh:
            self._listed.add(replace(news, words=fresh))
        if for_owner and news.owner is not None:
            self._owners.add(replace(news, words=for_owner))
        return replace(noted, told=_also(noted.told, fresh)) if self._sight.tells else noted


def _rows(found: Rotation | None) -> tuple[CredentialRotation, ...]:
    return found.credentials if found is not None else ()


def _words(case: Case[App], found: Rotation | None, mismatches: tuple[Finding, ...]) -> tuple[str, ...]:
    words = words_of(found, case.limits.expiring) if found is not None else ()
    return (*words, *(f"{one.about.key_id} {VAULT}" for one in mismatches))


def _heard(noted: NotedApp, words: tuple[str, ...]) -> NotedApp:
    """Both know, without being told."""
    return replace(noted, told=_also(noted.told, words), owners_told=_also(noted.owners_told, words))


def _also(told: tuple[str, ...], words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*told, *words})) if words else told
