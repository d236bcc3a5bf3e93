"""What every route shares: times as the gateway prints them, bodies as it binds them, refusals as it words them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from uuid import UUID

from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, Response

from sandbox.gateway.records import Identity, Json


class RefusalError(Exception):
    """An answer other than success; without a message it is the empty body of a panic."""

    def __init__(self, status: int, message: str | None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def response(self) -> Response:
        """The refusal as the gateway sends it."""
        if self.message is None:
            return Response(status_code=self.status)
        return JSONResponse({"message": self.message}, self.status)


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request: who asks, and what the path, query and body say."""

    caller: Identity
    path: dict[str, str]
    query: QueryParams
    body: Json


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def shown(moment: datetime | None) -> str | None:
    """A time as the API prints it, or null."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def none_if_empty(names: list[str]) -> list[str] | None:
    """The list, or the null a nil Go slice turns into."""
    return names or None


def required(body: Json, key: str) -> str:
    """A text the body must hold; refused with 400 otherwise."""
    value = text(body, key)
    if not value:
        raise RefusalError(400, f"Key: '{key}' Error:Field validation for '{key}' failed on the 'required' tag")
    return value


def text(body: Json, key: str) -> str:
    """A text of the body, empty when omitted; refused with 400 when it is something else."""
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RefusalError(
            400, f"json: cannot unmarshal {type(value).__name__} into Go struct field .{key} of type string"
        )
    return value


def texts(body: Json, key: str) -> list[str]:
    """A list of texts of the body, empty when omitted; refused with 400 when it is something else."""
    value = body.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RefusalError(400, f"json: cannot unmarshal value into Go struct field .{key} of type []string")
    return list(value)


def number(body: Json, key: str) -> int | None:
    """A whole number of the body, or none when omitted; refused with 400 when it is something else."""
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise RefusalError(400, f"json: cannot unmarshal value into Go struct field .{key} of type int")
    return value


def page(query: QueryParams) -> tuple[int, int]:
    """The page and its size; 422 when the size is outside 1 to 100."""
    try:
        number_of, size = int(query.get("page", 1)), int(query.get("page_size", 100))
    except ValueError:
        raise RefusalError(422, "page and page_size must be numbers") from None
    if not 1 <= size <= 100 or number_of < 1:
        raise RefusalError(422, "page_size must be between 1 and 100")
    return number_of, size


def paginated(rows: list[Json], query: QueryParams) -> Json:
    """One page of rows with the pagination object."""
    number_of, size = page(query)
    data = rows[(number_of - 1) * size : number_of * size]
    return {"pages": {"page": number_of, "size": len(data), "total": len(rows)}, "data": data}


def is_uuid(value: str) -> bool:
    """Whether the database would accept the value as a uuid."""
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def is_email(value: str) -> bool:
    """Whether a path or body value parses as an e-mail address."""
    return "@" in parseaddr(value)[1]
