"""The generated tenant that is live, if any, and what a handler of its routes gets to see."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.graph.access import Caller
from sandbox.graph.errors import not_found
from sandbox.graph.odata import context
from sandbox.graph.posture.listing import AS_IT_IS, Listing, Part, Place, page, resumed
from sandbox.graph.posture.switches import Faults
from sandbox.graph.posture.tenant import Json, Tenant, Wish, compact
from sandbox.graph.routing import Handler, Row
from sandbox.graph.state import GraphState


@dataclass
class Posture:
    """At most one generated tenant beside the cast; forgotten when the whole stand-in is reset."""

    state: GraphState
    faults: Faults = field(default_factory=Faults)
    reads: int = 0
    _tenant: Tenant | None = None
    _epoch: str = ""

    @property
    def tenant(self) -> Tenant | None:
        """The tenant that is live."""
        return self._tenant if self._epoch == self.state.epoch else None

    @tenant.setter
    def tenant(self, tenant: Tenant | None) -> None:
        self._tenant, self._epoch = tenant, self.state.epoch
        self.faults = Faults()
        self.reads = 0

    @cached_property
    def nobody(self) -> Tenant:
        """A tenant in which nothing was generated: what is asked when none is live."""
        return Tenant(
            Wish(datetime.fromtimestamp(self.state.clock(), UTC), applications=0, service_principals=0, copies=0)
        )

    @property
    def epoch(self) -> str:
        """What page tokens belong to; another tenant invalidates them."""
        return f"{self.state.epoch}/{self._tenant.wish.seed if self._tenant else 0}"

    def place(self, request: Request, total: Callable[[int], int]) -> Place:
        """Where a listing continues or begins; `total` says how many rows there are as of a position."""
        found = resumed(request, self.faults, self.epoch)
        if found:
            return found
        self.reads += 1
        position = self.state.position()
        salt = self.reads if self.faults.values["shuffle"] else 0
        return Place(0, salt, total(position), position)


@dataclass(frozen=True, slots=True)
class Call:
    """One request while a generated tenant is live."""

    request: Request
    posture: Posture
    tenant: Tenant

    @property
    def wanted(self) -> str:
        """The object id in the path."""
        return str(self.request.path_params.get("id", ""))

    @property
    def now(self) -> float:
        """The stand-in's time."""
        return self.posture.state.clock()

    @property
    def names(self) -> tuple[str, ...]:
        """What `$select` names, unchecked."""
        return tuple(name for name in self.request.query_params.get("$select", "").split(",") if name)

    def rows(self, bodies: list[Json], what: str) -> Response:
        """A page of rows that are at hand."""
        return self.listing((Part(self._chosen(bodies), compact),), what)

    def log(self, bodies: list[Json], what: str) -> Response:
        """A page of rows whose order means something, whatever is shuffled."""
        place = self.posture.place(self.request, lambda _: len(bodies))
        ordered = replace(place, salt=AS_IT_IS)
        return page(self.request, Listing((Part(self._chosen(bodies), compact),)), ordered, self.posture.epoch, what)

    def listing(self, parts: tuple[Part, ...], what: str) -> Response:
        """A page of rows that are rendered when they are shown."""
        listing = Listing(parts)
        place = self.posture.place(self.request, lambda _: listing.total)
        return page(self.request, listing, place, self.posture.epoch, what)

    def _chosen(self, bodies: list[Json]) -> list[Json]:
        names = self.names
        return [{name: body[name] for name in names if name in body} for body in bodies] if names else bodies

    def entity(self, body: Json, what: str) -> Response:
        """One object."""
        return JSONResponse({"@odata.context": context(self.request, f"{what}/$entity")} | body)


Read = Callable[[Call], Awaitable[Response | None]]


def in_front_of(existing: list[Row], reads: list[tuple[str, str, Read]], posture: Posture) -> list[Row]:
    """Rows that answer for the generated tenant and leave to the existing ones whatever is not in it.

    Each stands where the existing one stood, because the first match wins; those that are new stand first.
    """
    ours = {(method, path): read for method, path, read in reads}
    known = {(method, path) for method, path, _ in existing}
    new = [(method, path, _alone(posture, read)) for method, path, read in reads if (method, path) not in known]
    both = [
        (method, path, _before(posture, ours[method, path], handler) if (method, path) in ours else handler)
        for method, path, handler in existing
    ]
    return [*new, *both]


def _before(posture: Posture, read: Read, existing: Handler) -> Handler:
    async def answer(request: Request, state: GraphState, caller: Caller) -> Response:
        _strike(posture, request, caller)
        found = await read(Call(request, posture, posture.tenant)) if posture.tenant else None
        return await existing(request, state, caller) if found is None else found

    return answer


def _alone(posture: Posture, read: Read) -> Handler:
    async def answer(request: Request, _: GraphState, caller: Caller) -> Response:
        _strike(posture, request, caller)
        found = await read(Call(request, posture, posture.tenant or posture.nobody))
        if found is None:
            raise not_found(request.path_params.get("id", request.url.path))
        return found

    return answer


def _strike(posture: Posture, request: Request, caller: Caller) -> None:
    if not caller.is_admin:
        posture.faults.strike(request.url.path)
