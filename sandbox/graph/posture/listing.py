"""Pages of generated rows: any order, rendered one page at a time, resumable by an opaque token."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.graph.errors import GraphError, bad_request
from sandbox.graph.odata import context, link
from sandbox.graph.posture.switches import Faults
from sandbox.graph.tokens import pack, unpack

DEFAULT_PAGE, LARGEST_PAGE = 100, 999
AS_IT_IS = -1  # the salt of a log, whose order means something


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one kind: the items, and how one becomes JSON text."""

    items: Sequence[Any]
    to_json: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Listing:
    """All rows that a request asks for, part after part."""

    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        """How many rows there are."""
        return sum(len(part.items) for part in self.parts)

    def row(self, index: int) -> str | None:
        """One row as JSON text, or None when it has gone since the first page."""
        for part in self.parts:
            if index < len(part.items):
                return part.to_json(part.items[index])
            index -= len(part.items)
        return None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a read stands: offset, the salt of its order, how many rows it set out to show, the cast's log position."""

    offset: int
    salt: int
    total: int
    position: int

    @classmethod
    def in_token(cls, token: str, epoch: str) -> "Place":
        """The place that a page token holds; raises Graph's 400 for a foreign or an old one."""
        try:
            values = unpack(token)
            if values["e"] == epoch:
                return cls(values["o"], values["s"], values["n"], values["p"])
        except (ValueError, KeyError) as error:
            raise GraphError(400, "Directory_ExpiredPageToken", "The specified page token is not valid.") from error
        raise GraphError(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")

    def token(self, offset: int, epoch: str) -> str:
        """The token of the page that begins at an offset."""
        return pack({"o": offset, "s": self.salt, "n": self.total, "p": self.position, "e": epoch})


def resumed(request: Request, faults: Faults, epoch: str) -> Place | None:
    """The place in a request's page token, if it has one."""
    token = request.query_params.get("$skiptoken")
    if not token:
        return None
    faults.expire_page_token()
    return Place.in_token(token, epoch)


def page(request: Request, listing: Listing, place: Place, epoch: str, what: str) -> Response:
    """One page as Graph answers it."""
    size = page_size(request)
    end = min(place.offset + size, place.total)
    head = [f'"@odata.context":"{context(request, what)}"']
    if request.query_params.get("$count") == "true":
        head.append(f'"@odata.count":{listing.total}')
    if end < place.total:
        query = {**request.query_params, "$skiptoken": place.token(end, epoch)}
        head.append(f'"@odata.nextLink":"{link(request, request.url.path, query)}"')
    order = _order(place)
    rows = (listing.row(order(position)) for position in range(place.offset, end))
    body = f'{{{",".join(head)},"value":[{",".join(row for row in rows if row is not None)}]}}'
    return Response(body.encode(), media_type="application/json")


def page_size(request: Request) -> int:
    """What `$top` asks for; raises Graph's 400 outside 1 to 999."""
    text = request.query_params.get("$top", str(DEFAULT_PAGE))
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive.")
    return int(text)


def _order(place: Place) -> Callable[[int], int]:
    if place.salt == AS_IT_IS:
        return lambda position: position
    total = max(place.total, 1)
    chance = random.Random(place.salt)
    step = chance.randrange(total) or 1
    while math.gcd(step, total) != 1:
        step += 1
    shift = chance.randrange(total)
    return lambda position: (position * step + shift) % total
