"""Who can sign in: the cast, and whoever was added; each with the name the gateway knows them by."""

from dataclasses import dataclass

from sandbox import cast


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody's object id, their `sub` in tokens for the gateway, and how a token names them."""

    object_id: str
    subject: str
    email: str
    name: str


class People:
    """Everybody of the tenant, by object id."""

    def __init__(self) -> None:
        self._people = {one.id: Person(one.id, one.subject, one.email, one.name) for one in cast.PEOPLE}

    def add(self, person: Person) -> None:
        """From now on they can sign in."""
        self._people[person.object_id] = person

    def find(self, object_id: str) -> Person | None:
        """The person, or `None`."""
        return self._people.get(object_id.lower())
