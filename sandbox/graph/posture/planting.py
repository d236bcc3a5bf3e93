"""Plants a whole tenant: the people, the resources, and every check's guilty and innocent objects."""

from sandbox.graph.posture.garden import Garden
from sandbox.graph.posture.moments import Moments
from sandbox.graph.posture.plants import by_nature, credentials, exposure, federation, ownership, privilege, usage
from sandbox.graph.posture.plants.permissions import plant_resources
from sandbox.graph.posture.samples import HEALTHY_HOST
from sandbox.tenant import TENANT_ID

PEOPLE = 100


def plant(seed: int, moments: Moments, copies: int, policy: str) -> Garden:
    """A garden with so many copies of every plant; the people and resources are there in any case."""
    garden = Garden(seed, moments)
    garden.people = [garden.user(f"person-{number:02d}") for number in range(PEOPLE)]
    garden.hosts["resolve"].append(HEALTHY_HOST)
    plant_resources(garden)
    for copy in range(copies):
        garden.prefix = f"{copy}-" if copy else ""
        for chapter in (usage, by_nature, ownership, credentials, federation, privilege, exposure):
            chapter.plant(garden)
    _judge_policy(garden, policy)
    return garden


def _judge_policy(garden: Garden, policy: str) -> None:
    about = {"check_id": "C18", "object_kind": "tenant", "object_id": TENANT_ID, "key_id": "", "app_id": ""}
    about["principal_id"] = ""
    if policy == "strict":
        garden.must_not_fail.append(about | {"why": "181 and 366 days are what 180 and 365 need"})
    else:
        garden.must_fail.append(about | {"shape": f"policy {policy}"})
