"""The checks are no decoration: take any one thing out of the infrastructure, or misspell it, and one of them fails."""

from collections.abc import Callable, Iterator

import pytest
from tree_sitter import Node

from tests.infra.bicep import source
from tests.infra.checks import problems
from tests.infra.infrastructure import Infrastructure, current
from tests.infra.language import is_reference
from tests.infra.models import ALWAYS
from tests.infra.mutants import Mutants, with_each_misspelt, without_each
from tests.infra.security import MUST_SAY

Wanted = Callable[[str, Node], bool]
RESOURCE, SETTINGS, ALERTS = "resource_declaration", "modules/app-settings.bicep", "modules/alerts.bicep"


@pytest.fixture(scope="module")
def infra() -> Infrastructure:
    return current()


def unnoticed(mutants: Mutants) -> tuple[int, list[str]]:
    """How many mutants there were, and those in which nothing is found that was not there before."""
    before = set(problems(current()))
    lived = [(said, set(problems(mutant)) <= before) for said, mutant in mutants]
    return len(lived), [said for said, is_alive in lived if is_alive]


def is_role_assignment(_: str, node: Node) -> bool:
    return node.type == RESOURCE and "'Microsoft.Authorization/roleAssignments@" in source(node)


def is_setting(path: str, node: Node) -> bool:
    if path != SETTINGS or node.type != "object_property":
        return False
    outer = [one for one in _above(node) if one.type in ("object_property", RESOURCE)]
    return bool(outer) and source(outer[0]).startswith("properties: union")


def is_item_of_a_list(path: str, node: Node) -> bool:
    """A queue, container, table or alert."""
    listed = ("modules/service-bus.bicep", "modules/storage.bicep", ALERTS)
    return path in listed and _parent(node, 1) == "array" and _parent(node, 2) == "variable_declaration"


def is_deployed(path: str, node: Node) -> bool:
    """A whole resource. What nobody but the network needs is checked with it, by its names."""
    is_resource = node.type == RESOURCE and not any(child.type == "existing" for child in node.children)
    return is_resource and path not in ("modules/network.bicep", "modules/key-vault.bicep")


def is_said_for_security(_: str, node: Node) -> bool:
    said = {path.rpartition(".")[2] for _, path, _ in MUST_SAY} - ALWAYS
    return node.type == "object_property" and source(node.named_children[0]) in said and _is_in(node, RESOURCE)


def is_parameter_of_a_call(path: str, node: Node) -> bool:
    outer = [source(one).partition(":")[0] for one in _above(node) if one.type == "object_property"]
    return path == "main.bicep" and node.type == "object_property" and outer == ["params"]


def is_property(path: str, node: Node) -> bool:
    """The key of something in a resource that Azure's models know by name."""
    if node.parent is None or node.parent.type != "object_property" or not _is_in(node, RESOURCE):
        return False
    is_key = node.start_byte == node.parent.start_byte
    outer = [source(one).partition(":")[0] for one in _above(node.parent) if one.type == "object_property"]
    is_known_everywhere = outer == [] and source(node) in ALWAYS
    is_in_a_dictionary = any(key in ("tags", "userAssignedIdentities") for key in outer)
    is_existing = any(child.type == "existing" for one in _above(node) for child in one.children)
    return is_key and not (is_known_everywhere or is_in_a_dictionary or is_existing or path == SETTINGS)


def is_name(_: str, node: Node) -> bool:
    return is_reference(node)


@pytest.mark.parametrize(
    ("wanted", "least"),
    [
        (is_role_assignment, 7),
        (is_setting, 30),
        (is_item_of_a_list, 15),
        (is_deployed, 20),
        (is_said_for_security, 25),
        (is_parameter_of_a_call, 60),
    ],
    ids=["role assignment", "setting", "queue, container, table or alert", "resource", "safeguard", "parameter"],
)
def test_check_fails_without_any_one(infra: Infrastructure, wanted: Wanted, least: int) -> None:
    mutants = without_each(infra, wanted)

    count, lived = unnoticed(mutants)

    assert (count >= least, lived) == (True, [])


@pytest.mark.parametrize(("wanted", "least"), [(is_property, 150), (is_name, 200)], ids=["property", "name"])
def test_check_fails_when_any_one_is_misspelt(infra: Infrastructure, wanted: Wanted, least: int) -> None:
    mutants = with_each_misspelt(infra, wanted)

    count, lived = unnoticed(mutants)

    assert (count >= least, lived) == (True, [])


@pytest.mark.parametrize(
    ("path", "before", "after", "said"),
    [
        ("main.bicep", "module app ", "module app = ", "cannot be read"),
        ("modules/app.bicep", "properties: {", "properties: [", "cannot be read"),
        ("modules/roles.bicep", "4f6d3b9b-027b", "4f6d3b9b-027c", "which it is not"),
        ("modules/roles.bicep", "scope: vault", "scope: storage", "nobody has keyVaultSecretsUser on"),
        ("modules/roles.bicep", "  scope: storage\n", "", "on the resource group, and should not"),
        ("modules/service-bus.bicep", "lockDuration: 'PT60S'", "lockDuration: 'PT30S'", "lockDuration is PT30S"),
        ("modules/service-bus.bicep", "disableLocalAuth: true", "disableLocalAuth: 'true'", "str where bool is wanted"),
        ("modules/storage.bicep", "'TLS1_2'", "'TLS1_0'", "should be TLS1_2"),
        ("modules/sign-in.bicep", "        '/api/teams/messages'\n", "", "open door /api/teams/messages is missing"),
        ("modules/alerts.bicep", "watch subscriptions", "watch subscription list", "the code never says"),
        ("modules/alerts.bicep", "where swept < 4", "where swept < 3", "4 resources are swept"),
        ("modules/app.bicep", "function:process_principal_changes", "function:process_changes", "always ready"),
        ("main.bicep", "identity.outputs.clientId", "identity.outputs.secret", "identity has no output secret"),
        ("main.bicep", "modules/bot.bicep", "modules/bots.bicep", "which is not there"),
    ],
)
def test_mistake_is_named(infra: Infrastructure, path: str, before: str, after: str, said: str) -> None:
    assert before in infra.texts[path]
    mutant = infra.changed(path, infra.texts[path].replace(before, after, 1))

    found = problems(mutant)

    assert [problem for problem in found if said in problem]


def _above(node: Node) -> Iterator[Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def _is_in(node: Node, type_: str) -> bool:
    return any(one.type == type_ for one in _above(node))


def _parent(node: Node, level: int) -> str:
    outer = list(_above(node))[:level]
    return outer[-1].type if len(outer) == level and node.is_named else ""
