"""A ledger never forgets, and gives back exactly what was taken, in whatever order things happen."""

from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.domain import ledger as ledgers
from shared.domain.ledger import Ledger, RestoreRules, Taken
from tests.domain import strategies as some
from tests.domain.samples import NOW, OTHER_TEAM, TEAM

RULES = RestoreRules(timedelta(seconds=60), timedelta(seconds=900))
memberships = st.frozensets(st.sampled_from([TEAM, OTHER_TEAM]))
_Key = tuple[object, ...]


class LedgerUnderChange(RuleBasedStateMachine):
    """A ledger, and beside it a plain account of what was taken and of the positive reads since."""

    @initialize()
    def start(self) -> None:
        self.now: datetime = NOW
        self.ledger: Ledger = ()
        self.owed: set[_Key] = set()
        self.reads: dict[_Key, list[datetime]] = {}

    @rule(seconds=st.sampled_from([0, 1, 30, 60, 900]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(entries=st.lists(some.taken, max_size=4))
    def take(self, entries: list[Taken]) -> None:
        once = ledgers.record(self.ledger, entries)
        self.ledger = ledgers.record(once, entries)
        assert self.ledger == once
        for entry in entries:
            self.owed.add(entry.identity_of_entry)
            self.reads[entry.identity_of_entry] = []

    @rule(enabled=st.booleans(), memberships=memberships)
    def read(self, *, enabled: bool, memberships: frozenset[str]) -> None:
        self.ledger = ledgers.review(self.ledger, enabled=enabled, memberships=memberships, now=self.now)
        for entry in self.ledger:
            is_granted = enabled and all(alternatives & memberships for alternatives in entry.needs)
            row = self.reads[entry.identity_of_entry]
            self.reads[entry.identity_of_entry] = [*row, self.now] if is_granted else []

    @rule(confirmed=st.booleans())
    def lose_everything_again(self, *, confirmed: bool) -> None:
        self.ledger = ledgers.lose_again(self.ledger, None, confirmed=confirmed)
        self.reads = {key: [] for key in self.reads}

    @rule()
    def announce(self) -> None:
        self.ledger = ledgers.announce_return(self.ledger)

    @rule()
    def give_back(self) -> None:
        ready = ledgers.due(self.ledger, RULES, self.now)
        for entry in ready:
            row = self.reads[entry.identity_of_entry]
            assert row[-1] - row[0] >= RULES.interval
            assert entry.confirmed or row[-1] >= entry.taken_at + RULES.horizon
        self.ledger = ledgers.returned(self.ledger, ready)
        self.owed -= {entry.identity_of_entry for entry in ready}

    @invariant()
    def holds_exactly_what_is_owed(self) -> None:
        keys = [entry.identity_of_entry for entry in self.ledger]
        assert len(keys) == len(set(keys))
        assert set(keys) == self.owed

    @invariant()
    def what_is_due_no_longer_stands(self) -> None:
        ready = ledgers.due(self.ledger, RULES, self.now)
        assert not set(ready) & set(ledgers.standing(self.ledger, RULES, self.now))

    @invariant()
    def what_entra_denies_stands(self) -> None:
        unseen = {entry for entry in self.ledger if entry.seen_since is None}
        assert unseen <= set(ledgers.standing(self.ledger, RULES, self.now))


TestLedgerUnderChange = LedgerUnderChange.TestCase
TestLedgerUnderChange.settings = settings(deadline=None, max_examples=100, stateful_step_count=20)
