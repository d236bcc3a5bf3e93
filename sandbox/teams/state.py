"""Everything one stand-in holds: the world, its messages, who looks where, and how deliveries go."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Coroutine

from sandbox.teams import world
from sandbox.teams.errors import no_conversation, not_in_roster
from sandbox.teams.events import EventLog
from sandbox.teams.ids import split_conversation
from sandbox.teams.keys import Keys
from sandbox.teams.limits import Limits
from sandbox.teams.records import Message, Person
from sandbox.teams.switches import Switches

FAILURES_UNTIL_SILENCE = 5


class TeamsState:
    """The memory of one server; `endpoint` is the bot's, `service_url` its own as activities carry it."""

    def __init__(self, endpoint: str, service_url: str = "") -> None:
        self.endpoint, self.service_url = endpoint, service_url
        self.keys = Keys()
        self._first_key = self.keys.current
        self.events = EventLog()
        self.switches = Switches()
        self._newest_activity = 0
        self._background: set[asyncio.Task[None]] = set()
        self._begin()

    def _begin(self) -> None:
        self.channels = world.channels()
        self.team_installed = True
        self.people: dict[str, Person] = {}
        self._by_mri: dict[str, Person] = {}
        self._by_chat: dict[str, Person] = {}
        for person in world.people().values():
            self.add(person)
        self.messages: defaultdict[str, dict[str, Message]] = defaultdict(dict)
        self.viewing: dict[str, str] = {}
        self.limits = Limits()
        self.failures = 0
        self.counters: dict[str, Counter[str]] = {
            name: Counter() for name in ("posts", "updates", "deletes", "requests")
        }

    def reset(self) -> None:
        """Back to how the server started; events are forgotten but keep counting."""
        for task in self._background:
            task.cancel()
        self.switches.reset()
        self.keys.reset(self._first_key)
        self.events.forget()
        self._begin()
        self.events.record("reset")

    def add(self, person: Person) -> None:
        """Let somebody into the tenant, or replace them."""
        self.people[person.id] = person
        self._by_mri[person.mri] = person
        self._by_chat[person.chat] = person

    def person(self, identifier: str) -> Person | None:
        """Somebody by Entra object id or by the id the bot knows them under."""
        return self._by_mri.get(identifier) or self.people.get(identifier.lower())

    def place(self, conversation: str) -> str:
        """The channel or chat of a conversation; refused when it or the thread it names does not exist."""
        place, root = split_conversation(conversation)
        if place not in self.channels and place not in self._by_chat:
            raise no_conversation()
        if root is not None and root not in self.messages[place]:
            raise no_conversation()
        return place

    def admit(self, place: str) -> None:
        """Refuse the bot where the app is not installed."""
        chat = self._by_chat.get(place)
        installed = chat.installed if chat else self.team_installed and self.channels[place].installed
        if not installed:
            raise not_in_roster()

    def roster(self, place: str) -> list[Person]:
        """Who is in a channel or chat."""
        chat = self._by_chat.get(place)
        return [chat] if chat else [person for person in self.people.values() if person.member]

    def reads(self, person: Person, place: str) -> bool:
        """Whether a person sees a channel or chat."""
        chat = self._by_chat.get(place)
        return person is chat if chat else person.member

    @property
    def silent(self) -> bool:
        """Whether Teams gave up delivering to the bot."""
        return self.failures >= FAILURES_UNTIL_SILENCE

    def next_activity_id(self) -> str:
        """An activity id: the time in milliseconds, each one once."""
        self._newest_activity = max(self._newest_activity + 1, int(time.time() * 1000))
        return str(self._newest_activity)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Do something in the background, until it is done or the world starts over."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
