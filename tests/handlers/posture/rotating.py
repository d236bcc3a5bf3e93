"""A tenant whose credentials are changed, day by day, and everything that a check of them needs."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.adapters.inventory_join import SqliteJoin
from shared.domain.card_copy import CardUpdate
from shared.domain.posture.rules import OwnerRules, PostureRules
from shared.domain.posture.scan import Row, Source
from shared.handlers.check_rotation import RotationCheck, RotationPorts, RotationRules, check_rotation
from shared.handlers.scan_inventory import ScanPorts
from shared.wire.inventory_rows import row, trim_page
from shared.wire.messages import parse_card_update
from tests.fakes.clock import FakeAlerts, FakeClock
from tests.fakes.entra import guid
from tests.fakes.notices import FakeNotices
from tests.fakes.queue import FakeQueue
from tests.fakes.rotation import FakePolicies, FakeRotationLedger, FakeVaults
from tests.fakes.scan import FakeInventory, FakeScanStore

CHANNEL = "19:security@thread.tacv2"
VAULT = "https://kv.vault.azure.net"
RULES = RotationRules(PostureRules(channel=CHANNEL, vaults=(VAULT,)))


@dataclass
class RotatingTenant:
    """Applications with secrets; ada owns all of them and can sign in. Each `check` is a day after the one before."""

    clock: FakeClock = field(default_factory=FakeClock)
    inventory: FakeInventory = field(default_factory=lambda: FakeInventory({}))
    store: FakeScanStore = field(default_factory=FakeScanStore)
    ledger: FakeRotationLedger = field(default_factory=FakeRotationLedger)
    policies: FakePolicies = field(default_factory=FakePolicies)
    vaults: FakeVaults = field(default_factory=FakeVaults)
    notices: FakeNotices = field(default_factory=FakeNotices)
    secrets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    tags: dict[str, list[str]] = field(default_factory=dict)
    used: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    ownerless: set[str] = field(default_factory=set)
    ada: dict[str, Any] = field(default_factory=lambda: {"name": "Ada", "enabled": True})

    def __post_init__(self) -> None:
        self.queue = FakeQueue(self.clock)
        self.vaults.held[VAULT] = ()
        self.secrets["quiet"] = []
        self.use("quiet", "something")

    def add(self, app: str, key: str, *, age: float = 0, days: float | None = 90) -> None:
        """A secret issued so many days ago, for so many days from now."""
        start, end = (self.clock.now() + timedelta(days=each or 0) for each in (-age, days))
        dates = {"startDateTime": start.isoformat(), "endDateTime": end.isoformat() if days is not None else None}
        self.secrets.setdefault(app, []).append({"keyId": guid(key), **dates})

    def remove(self, app: str, key: str) -> None:
        self.secrets[app] = [one for one in self.secrets[app] if one["keyId"] != guid(key)]

    def use(self, app: str, key: str) -> None:
        """Somebody signs in with it now."""
        self.used[guid(key)] = (app, self.clock.now())

    @property
    def ports(self) -> RotationPorts:
        """The ports, Entra being what it is now."""
        self.inventory.rows = {source: [*rows] for source, rows in self._rows().items()}
        scan = ScanPorts(self.inventory, self.store, self.clock, FakeAlerts(), SqliteJoin)
        return RotationPorts(scan, self.ledger, self.policies, self.vaults, self.queue, self.notices)

    async def check(self, rules: RotationRules = RULES, *, days: float = 1) -> RotationCheck:
        self.clock.advance(timedelta(days=days).total_seconds())
        checked = await check_rotation(self.ports, rules)
        assert checked is not None
        return checked

    @property
    def updates(self) -> list[CardUpdate]:
        """Every copy that was asked for, in order."""
        return [parse_card_update(message.body) for message in self.queue.waiting]

    @property
    def shown(self) -> Counter[str]:
        """How many different cards each place got."""
        return Counter(place for _, place in {(one.review_id, one.spec.place.id) for one in self.updates})

    def text(self, notice_id: str) -> str:
        """Everything that a card says."""
        return " ".join(_texts(json.loads(self.notices.stored[notice_id].activity)))

    def _rows(self) -> dict[Source, Sequence[Row]]:
        ada = {"@odata.type": "#microsoft.graph.user", "id": guid("ada"), "displayName": "Ada"}
        listed: dict[Source, list[dict[str, Any]]] = {Source.SIGN_INS: [], Source.CREDENTIAL_SIGN_INS: []}
        for app, secrets in self.secrets.items():
            common = {"appId": guid(app), "displayName": app, "owners": [] if app in self.ownerless else [ada]}
            application = {**common, "id": guid(f"{app} application"), "passwordCredentials": secrets}
            listed.setdefault(Source.APPLICATIONS, []).append(application)
            principal = {**common, "id": guid(f"{app} principal"), "servicePrincipalType": "Application"}
            principal["tags"] = self.tags.get(app, [])
            listed.setdefault(Source.SERVICE_PRINCIPALS, []).append(principal)
            used = {"lastSignInDateTime": self.clock.now().isoformat()}
            listed[Source.SIGN_INS].append({"appId": guid(app), "lastSignInActivity": used})
        for key_id, (app, at) in self.used.items():
            activity = {"lastSignInDateTime": at.isoformat()}
            listed[Source.CREDENTIAL_SIGN_INS].append({"appId": guid(app), "keyId": key_id, "signInActivity": activity})
        halves = {Source.SINGLE_OWNER_APPLICATIONS: "application", Source.SINGLE_OWNER_PRINCIPALS: "principal"}
        for source, half in halves.items():
            listed[source] = [{"id": guid(f"{app} {half}")} for app in self.secrets if app not in self.ownerless]
        found: dict[Source, Sequence[Row]] = {
            source: trim_page(source, {"value": raw}) for source, raw in listed.items()
        }
        return found | {Source.PEOPLE: (row(f"users/{guid('ada')}", "", self.ada),)}


def rules(*, most: int = 25, channel: str = CHANNEL) -> RotationRules:
    return RotationRules(PostureRules(channel=channel, owners=OwnerRules(most=most), vaults=(VAULT,)))


def _texts(element: object) -> list[str]:
    if isinstance(element, dict):
        mine = [element["text"]] if isinstance(element.get("text"), str) else []
        return mine + [text for value in element.values() for text in _texts(value)]
    if isinstance(element, list):
        return [text for value in element for text in _texts(value)]
    return []
