"""The page of an identity's reach names groups as people do, and is quickly made however many there are."""

from collections import UserDict
from collections.abc import Iterator
from datetime import UTC, datetime

from shared.domain.posture.blast_radius import BlastRadius, ReachedConnection
from shared.domain.posture.figures import Reach
from shared.domain.posture.finding import About, ObjectKind
from shared.wire.report import reach_page

AT = datetime(2027, 1, 1, tzinfo=UTC)
ABOUT = About(ObjectKind.AGENT_IDENTITY, "6d1c0000-0000-4000-8000-000000000001", "billing-bot")


class Names(UserDict[str, str]):
    """Names of groups that count how often somebody goes through all of them."""

    read = 0

    def __iter__(self) -> Iterator[str]:
        self.read += 1
        return super().__iter__()


def radius(*groups: str) -> BlastRadius:
    reached = tuple(ReachedConnection(f"db-{group}", (group,)) for group in groups)
    return BlastRadius(ABOUT, reached, Reach(ABOUT.name, len(reached), 0, ABOUT.object_id), AT)


def test_groups_are_called_as_people_call_them_unless_two_are_called_the_same() -> None:
    names = {"id-1": "Database people", "id-2": "Twins", "id-3": "Twins"}

    page = reach_page(radius("ID-1", "id-2", "id-4"), AT, names).decode()

    assert "<bdi>Database people</bdi>" in page
    assert "<bdi>id-2</bdi>" in page
    assert "<bdi>id-4</bdi>" in page
    assert "Twins" not in page


def test_names_are_gone_through_as_often_for_many_connections_as_for_one() -> None:
    one, many = (Names({f"id-{number}": f"Group {number}" for number in range(300)}) for _ in range(2))

    reach_page(radius("id-1"), AT, one)
    reach_page(radius(*(f"id-{number}" for number in range(300))), AT, many)

    assert many.read == one.read
