"""The door itself: keeps up with both event logs, and knows at any moment what the page should show."""

import asyncio
import time

from sandbox.door import page
from sandbox.door.changes import Changes
from sandbox.door.entra import Entra, RestartedError
from sandbox.door.events import EntraEvent, GatewayEvent, Json, TeamsEvent
from sandbox.door.gateway import Gateway, StandInGateway
from sandbox.door.hoop import HoopGateway, api_key
from sandbox.door.links import read_links
from sandbox.door.picture import Picture, draw, is_off
from sandbox.door.report import PostureReport
from sandbox.door.review_page import Scene, approvals_json, timeline_json
from sandbox.door.reviews import Reviews
from sandbox.door.routes import read_routes
from sandbox.door.servers import Server, UnavailableError, broker_control_url, gateway_url, graph_url, json_of
from sandbox.door.surroundings import Surroundings, Watch, missing_subscriptions
from sandbox.door.teams import TeamsWorld, watched_teams
from sandbox.door.wording import duration, headline
from sandbox.tenant import url

FRESH_SECONDS = 0.15
WHOLE_LOOK_SECONDS = 1.0
SHARE_OF_TIME = 5
_KINDS = ("users", "groups", "servicePrincipals", "applications", "deleted", "subscriptions")
_TABLES = ("users", "service_accounts", "api_keys", "ai_agents", "machine_identities", "connections")
EMPTY_DIRECTORY: Json = {kind: [] for kind in _KINDS}
EMPTY_SNAPSHOT: Json = {table: [] for table in (*_TABLES, "streams", "reviews")} | {"access_control": None}
_GRAPH_OFF: Json = {"drop": 0, "delayMs": 0, "latencyMs": 0}


class Door:
    """One view of the sandbox, shared by every browser that looks."""

    def __init__(self) -> None:
        self.entra = Entra(Server("Entra", graph_url()), Server("The identity endpoint", url("identity")))
        self.watch = Watch(Server("The app", url("functions")), Server("The broker", broker_control_url()))
        self.teams = watched_teams()
        self.report = PostureReport()
        self.changes, self.reviews = Changes(), Reviews()
        self.directory = EMPTY_DIRECTORY
        self._gateway: Gateway | None = None
        self._gateway_server = Server("The gateway", gateway_url())
        self._snapshot = EMPTY_SNAPSHOT
        self._links, self._routes = read_links(), read_routes()
        self._picture = Picture()
        self._has_news = False
        self._entra_events: list[EntraEvent] = []
        self._gateway_events: list[GatewayEvent] = []
        self._lock = asyncio.Lock()
        self._looked_at = self._whole_look_at = self._whole_look_took = 0.0
        self._state: Json = {}

    async def state(self) -> Json:
        """What the page should show now, at most a moment old."""
        async with self._lock:
            if not self._state or time.monotonic() - self._looked_at > FRESH_SECONDS:
                await self._catch_up()
                self._looked_at = time.monotonic()
        return self._state

    def rows_after(self, seq: int) -> list[Json]:
        """The timeline's rows newer than a sequence number, oldest first."""
        now = time.time()
        return [page.row_json(change, now, self._picture) for change in self.changes.all if change.seq > seq]

    async def report_state(self) -> Json:
        """The newest posture report, with those who may read it now."""
        await self.state()
        inside = self._picture.principals_in(self.report.readers_group)
        users = (row for row in self.directory["users"] if row["id"] in inside and not is_off(row))
        return await self.report.show(sorted(users, key=lambda row: str(row["displayName"]).casefold()))

    async def gateway(self) -> Gateway:
        """The gateway behind the door; a real one answers its control routes with anything but JSON."""
        if self._gateway is None:
            answer = await self._gateway_server.ask("GET", "/sandbox/snapshot")
            is_stand_in = answer.status_code == 200 and isinstance(json_of(answer), dict)
            server = self._gateway_server
            self._gateway = StandInGateway(server) if is_stand_in else HoopGateway(server, api_key())
        return self._gateway

    async def find(self, object_id: str) -> Json | None:
        """An object of the directory by id, deleted ones included; looks again before it says that there is none."""
        if object_id not in self._picture.names:
            self.look_again()
            await self.state()
        kinds = ("users", "servicePrincipals", "applications", "groups", "deleted")
        rows = (row for kind in kinds for row in self.directory[kind] if row["id"] == object_id)
        return next(rows, None)

    def look_again(self) -> None:
        """Make the next state a fresh one."""
        self._looked_at = self._whole_look_at = 0.0

    async def close(self) -> None:
        """Let go of every server."""
        teams = [self.teams.close()] if self.teams else []
        servers = (self.entra, self.watch, self._gateway_server, self.report)
        await asyncio.gather(*(one.close() for one in servers), *teams)

    async def _catch_up(self) -> None:
        pause = max(FRESH_SECONDS, SHARE_OF_TIME * self._whole_look_took)
        since = time.monotonic() - self._whole_look_at
        if self._state and since < pause:
            return
        try:
            down = await self._read_events()
        except RestartedError:
            self._forget()
            down = await self._read_events()
        if self._entra_events or self._gateway_events or self._has_news or down or since > WHOLE_LOOK_SECONDS:
            started = time.monotonic()
            await self._look(down)
            self._whole_look_at = time.monotonic()
            self._whole_look_took = self._whole_look_at - started

    async def _read_events(self) -> dict[str, str]:
        """Fetch what is new in every log; answers a sentence for each side that is down.

        The gateway is asked first: whatever caused an effect in its log is in the others' logs by then. Without
        Entra's log the gateway's events wait, for the same reason; requests are told of without it.
        """
        down: dict[str, str] = {}
        at_gateway: list[GatewayEvent] = []
        in_teams: list[TeamsEvent] = []
        try:
            at_gateway = await (await self.gateway()).new_events()
        except UnavailableError as error:
            down["gateway"] = str(error)
        try:
            self._entra_events += await self.entra.new_events()
        except UnavailableError as error:
            down["entra"] = str(error)
        try:
            in_teams = await self.teams.new_events() if self.teams else []
        except UnavailableError as error:
            down["teams"] = f"{error} Cards wait until it does."
        self.reviews.observe(at_gateway, in_teams, self.teams.world if self.teams else TeamsWorld())
        self._gateway_events += [event for event in at_gateway if not self.reviews.is_answer_of_a_person(event)]
        self._has_news = bool(at_gateway or in_teams)
        return down

    async def _look(self, down: dict[str, str]) -> None:
        graph_switches, gateway_switches = _GRAPH_OFF, {}
        around = await self.watch.look()
        try:
            self.directory = await self.entra.directory()
            graph_switches = await self.entra.switches()
        except UnavailableError as error:
            down.setdefault("entra", str(error))
        try:
            gateway = await self.gateway()
            self._snapshot = await gateway.snapshot()
            gateway_switches = await gateway.switches()
        except UnavailableError as error:
            down.setdefault("gateway", str(error))
        self._picture = draw(self.directory, self._snapshot, self._links)
        if "entra" not in down:
            self.changes.observe(self._entra_events, self._gateway_events, self._picture)
            self._entra_events, self._gateway_events = [], []
        self._state = self._compose(graph_switches, gateway_switches, around, down)

    def _compose(self, graph: Json, gateway: Json, around: Surroundings, down: dict[str, str]) -> Json:
        now = time.time()
        is_real = isinstance(self._gateway, HoopGateway)
        scene = Scene(self._snapshot, self._picture, self._routes, self.teams)
        late = [
            f"{headline(one)} {duration((now - one.at) * 1000)} ago, and the gateway still lets them in."
            for one in self.changes.still_let_in(now)
        ]
        subscriptions = self.directory["subscriptions"]
        unannounced = [] if "entra" in down else missing_subscriptions(subscriptions)
        return {
            "entra": page.entra_json(self.directory, graph, self._picture) | {"up": "entra" not in down},
            "gateway": page.gateway_json(self._snapshot, gateway, self._picture, is_real=is_real)
            | {"up": "gateway" not in down},
            "approvals": approvals_json(self.reviews, scene, is_real=is_real, teams_up="teams" not in down),
            "timeline": timeline_json(self.changes, self.reviews, scene, now),
            "figures": page.figures_json(self.changes, now),
            "status": {
                "app": around.app,
                "subscriptions": len(subscriptions),
                "queues": around.queues,
                "waiting": sum(counts["active"] + counts["locked"] for counts in around.queues.values()),
                "scheduled": sum(counts["scheduled"] for counts in around.queues.values()),
            },
            "failures": [*down.values(), *around.problems, *unannounced, *late, *page.told(graph, gateway)],
        }

    def _forget(self) -> None:
        self.changes, self.reviews, self._picture, self._gateway = Changes(), Reviews(), Picture(), None
        self.entra.seen = 0
        if self.teams:
            self.teams.seen = 0
        self._entra_events, self._gateway_events = [], []
