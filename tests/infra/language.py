"""What a compiler would say: grammar, names, modules and properties."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from tree_sitter import Node

from tests.infra.bicep import BicepFile, Missing, source, walk
from tests.infra.infrastructure import MAIN, Infrastructure, outputs_used, parsed
from tests.infra.models import unknown_properties

FUNCTIONS = {
    *("empty", "union", "replace", "take", "skip", "split", "join", "toLower", "string", "json", "guid"),
    *("uniqueString", "subscriptionResourceId", "resourceGroup", "tenant", "environment"),
}
DECORATORS = {"description", "minLength", "maxLength", "minValue", "maxValue", "allowed"}


def cannot_be_read(infra: Infrastructure) -> Iterator[str]:
    """Every error of grammar."""
    for path, file in infra.files.items():
        yield from (f"{path}: {error}" for error in file.errors)


def names_nothing(infra: Infrastructure) -> Iterator[str]:
    """Names, functions and properties that are nowhere declared, and declarations that nobody uses."""
    for path, text in infra.texts.items():
        yield from _names_nothing(path, text)


@lru_cache(maxsize=64)
def _names_nothing(path: str, text: str) -> list[str]:
    return list(_find_names(path, parsed(text)))


def _find_names(path: str, file: BicepFile) -> Iterator[str]:
    declared = {one.name for one in file.declarations if one.kind != "output"}
    used = {source(node) for node in walk(file.root) if is_reference(node) and not _is_loop_variable(node)}
    functions = {source(node.named_children[0]) for node in walk(file.root) if node.type == "call_expression"}
    yield from (f"{path}: {name} is not declared" for name in sorted(used - declared))
    yield from (f"{path}: {name}() is not a function" for name in sorted(functions - FUNCTIONS - DECORATORS))
    values = {one.name for one in file.declarations if one.kind in ("param", "var")}
    yield from (f"{path}: {name} is declared, and not used" for name in sorted(values - used))
    for one in file.declarations:
        yield from (f"{path}: {text} is not there" for text in _missing(one.value))


def calls_wrongly(infra: Infrastructure) -> Iterator[str]:
    """Modules that are not there or not called, and their parameters and outputs that do not fit."""
    called = {MAIN}
    for path, file in infra.files.items():
        for module in file.of_kind("module").values():
            target = infra.called(path, module)
            called.add(target)
            if target not in infra.files:
                yield f"{path}: {module.name} calls {target}, which is not there"
            else:
                yield from _wrong_parameters(path, module.name, module.bodies[0], infra.files[target])
        yield from _wrong_outputs(path, file, infra)
    yield from (f"{path}: nobody calls it" for path in sorted(set(infra.files) - called))


def properties_unknown_to_azure(infra: Infrastructure) -> Iterator[str]:
    """Properties that the resource models do not have, or have as something else."""
    for path, text in infra.texts.items():
        yield from (f"{path}: {problem}" for problem in _unknown_properties(text))


@lru_cache(maxsize=64)
def _unknown_properties(text: str) -> list[str]:
    deployed = [one for one in parsed(text).of_kind("resource").values() if not one.is_existing]
    return [
        f"{one.name}: {problem}"
        for one in deployed
        for body in one.bodies
        for problem in unknown_properties(one.target, body)
    ]


def main_does_more_than_call(infra: Infrastructure) -> Iterator[str]:
    """What main.bicep declares besides parameters, module calls and outputs."""
    for one in infra.files[MAIN].declarations:
        if one.kind not in ("param", "module", "output"):
            yield f"{MAIN}: {one.name} is a {one.kind}"


def _wrong_parameters(path: str, name: str, body: dict[str, Any], target: BicepFile) -> Iterator[str]:
    given, known = set(body.get("params", {})), target.of_kind("param")
    needed = {param.name for param in known.values() if param.value is None}
    yield from (f"{path}: {name} has no parameter {one}" for one in sorted(given - set(known)))
    yield from (f"{path}: {name} needs the parameter {one}" for one in sorted(needed - given))


def _wrong_outputs(path: str, file: BicepFile, infra: Infrastructure) -> Iterator[str]:
    modules = file.of_kind("module")
    for module, output in outputs_used(file.text):
        target = infra.files.get(infra.called(path, modules[module])) if module in modules else None
        if target is None or output not in target.of_kind("output"):
            yield f"{path}: {module} has no output {output}"


def is_reference(node: Node) -> bool:
    """Whether a name stands for a value here, and is neither being declared nor a key nor a function."""
    if node.type != "identifier" or node.parent is None:
        return False
    first = node.parent.named_children[0]
    is_first = first.start_byte == node.start_byte and first.end_byte == node.end_byte
    named_here = ("parameter_declaration", "variable_declaration", "resource_declaration", "module_declaration")
    own = (*named_here, "output_declaration", "object_property", "call_expression", "target_scope_assignment")
    return not (is_first and node.parent.type in own) and node.parent.type != "decorator"


def _is_loop_variable(node: Node) -> bool:
    above = node.parent
    while above is not None:
        if above.type == "for_statement":
            parameters = above.named_children[0]
            names = {source(one) for one in parameters.named_children or [parameters]}
            if source(node) in names:
                return True
        above = above.parent
    return False


def _missing(value: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, Missing):
        yield value.text
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _missing(inner)
