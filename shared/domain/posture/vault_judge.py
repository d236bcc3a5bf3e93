"""Vault judge: what vaults hold, brought to the applications that it belongs to, and what is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.posture.check import Case, unknown
from shared.domain.posture.checks.saying import for_object
from shared.domain.posture.checks.traits import contacts
from shared.domain.posture.checks.vault import CHECKS
from shared.domain.posture.finding import About, Finding, ObjectKind, Verdict
from shared.domain.posture.inventory import App, Known, Unknown
from shared.domain.posture.limits import Limits
from shared.domain.posture.vault import VaultedApp, VaultVersion

VAULT_CHECKS = {check.check_id: check for check in CHECKS}


@dataclass(frozen=True, slots=True)
class Vaulted:
    """Every version of every vault that could be read, and why the others could not, by vault."""

    versions: tuple[VaultVersion, ...] = ()
    unread: Mapping[str, Unknown] = field(default_factory=dict)


class VaultJudge:
    """Judges applications one after the other, in any order; what none of them claims is judged at the end."""

    def __init__(self, vaulted: Vaulted, at: datetime, limits: Limits) -> None:
        self._vaulted, self._at, self._limits = vaulted, at, limits
        self._by_app: dict[str, list[VaultVersion]] = {}
        self._by_key: dict[str, list[VaultVersion]] = {}
        for one in vaulted.versions:
            if one.app_tag:
                self._by_app.setdefault(one.app_tag.lower(), []).append(one)
            elif one.key_id:
                self._by_key.setdefault(one.key_id.lower(), []).append(one)

    def judge(self, app: App) -> tuple[Finding, ...]:
        """What is wrong with the versions that hold a credential of this application."""
        if not (self._by_app or self._by_key):
            return ()
        versions = (*self._taken(self._by_app, _names(app)), *self._taken(self._by_key, _keys(app)))
        return tuple(self._judge(VaultedApp(app.object_id, app, Known(versions)))) if versions else ()

    def judge_rest(self, *, is_whole: bool) -> tuple[Finding, ...]:
        """What no application claimed, unknown unless all of them were read; and each vault that was not read."""
        rest = [VaultedApp(tag, None, Known(tuple(some))) for tag, some in sorted(self._by_app.items())]
        loose = tuple(one for some in self._by_key.values() for one in some)
        rest += [VaultedApp("", None, Known(loose))] if loose else []
        if not is_whole:
            rest = [replace(one, versions=Unknown("applications-not-read")) for one in rest]
        found = [finding for one in rest for finding in self._judge(one)]
        for url, missing in sorted(self._vaulted.unread.items()):
            about = About(ObjectKind.TENANT, url, url)
            found += [unknown(check_id, about, missing) for check_id in VAULT_CHECKS]
        return tuple(found)

    def _judge(self, one: VaultedApp) -> Iterator[Finding]:
        owners = contacts(one.app) if one.app is not None else ()
        for check in CHECKS:
            for finding in check.judge(Case(one, self._at, self._limits)):
                fix = for_object(check.fix, finding.about) if finding.verdict is Verdict.FAIL else ""
                yield replace(finding, fix=fix, owners=owners)

    def _taken(self, index: dict[str, list[VaultVersion]], names: Iterable[str]) -> list[VaultVersion]:
        return [one for name in names for one in index.pop(name, ())]


def _names(app: App) -> list[str]:
    halves = [one.object_id for one in (app.application, app.principal) if one is not None]
    return [name.lower() for name in (*halves, app.app_id) if name]


def _keys(app: App) -> list[str]:
    return [one.key_id.lower() for one in app.credentials]
