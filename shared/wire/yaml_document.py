"""A YAML file of an operator, checked against its schema: every error names file, line, what is wrong and the fix."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from shared.errors import SettingsError

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=180)]
Place = tuple[int | str, ...]
Schema = TypeVar("Schema", bound=BaseModel)

_FIXES = {
    "extra_forbidden": "remove this key, or correct its spelling",
    "missing": "add this key",
    "string_type": "write a text here; quote it if it looks like a number",
    "string_too_short": "write a name here",
    "string_too_long": "shorten it to 180 characters",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "list_type": "write a list: lines that begin with '- '",
    "dict_type": "write keys and values here",
    "model_type": "write keys and values here",
    "invalid_key": "quote this key, or correct it",
}


class Strict(BaseModel):
    """A part of a document that has no other keys than those of its schema."""

    model_config = ConfigDict(extra="forbid")


class _Loader(yaml.SafeLoader):
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError) as error:  # such as 2026-13-45, which looks like a date
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from error


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """What a file says, and on which line it says so; `page` explains the file to its author."""

    file: str
    page: str
    content: Any
    root: yaml.Node | None

    @classmethod
    def parse(cls, text: str, file: str, page: str) -> "YamlDocument":
        """The one document in the text.

        Raises:
            SettingsError: naming file and line of what is not YAML.
        """
        try:
            root = yaml.compose(text, Loader=_Loader)
            content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise SettingsError(
                f"{file}, line {line}: not YAML ({error.problem}); check indentation and quotes"
            ) from error
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise SettingsError(f"{file}, line {line}: not YAML ({error.reason}); remove that character") from error
        return cls(file, page, content if content is not None else {}, root)

    def checked(self, schema: type[Schema], fixes: Mapping[str, str]) -> Schema:
        """The content as its schema has it; `fixes` say what to do about problems of kinds that only this file has.

        Raises:
            SettingsError: one sentence for each problem.
        """
        try:
            found = schema.model_validate(self.content)
        except ValidationError as error:
            raise SettingsError("\n".join(self._sentences(error, {**_FIXES, **fixes}))) from error
        twice = [
            f"{self.file}, line {key.start_mark.line + 1}: {key.value}: written twice; keep one"
            for key in _repeated(self.root)
        ]
        if twice:
            raise SettingsError("\n".join(twice))
        return found

    def refuse(self, mistakes: Iterable[tuple[Place, str]]) -> None:
        """Nothing, if there are no mistakes: places in the document, each with what is wrong and the fix.

        Raises:
            SettingsError: one sentence for each mistake.
        """
        sentences = [self._sentence(place, wrong) for place, wrong in mistakes]
        if sentences:
            raise SettingsError("\n".join(sentences))

    def _sentences(self, error: ValidationError, fixes: Mapping[str, str]) -> Iterator[str]:
        for problem in error.errors(include_url=False, include_input=False):
            fix = fixes.get(problem["type"], f"see {self.page}")
            yield self._sentence(problem["loc"], f"{problem['msg']}; {fix}")

    def _sentence(self, place: Place, wrong: str) -> str:
        name = ".".join(str(step) for step in place) or "the document"
        return f"{self.file}, line {_line(self.root, place)}: {name}: {wrong}"


def _repeated(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """Keys that their mapping has already: YAML itself would quietly keep the last."""
    if isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated(value)
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value]
        for number, (key, value) in enumerate(node.value):
            if key.value in keys[:number]:
                yield key
            yield from _repeated(value)


def _line(node: yaml.Node | None, place: Place) -> int:
    """The line of the deepest part of the place that the document has."""
    line = node.start_mark.line + 1 if node is not None else 1
    for step in place:
        found = _child(node, step)
        if found is None:
            break
        line, node = found
    return line


def _child(node: yaml.Node | None, step: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    if isinstance(node, yaml.MappingNode):
        keys: Mapping[Any, tuple[yaml.Node, yaml.Node]] = {key.value: (key, value) for key, value in node.value}
        if step in keys:
            key, value = keys[step]
            return key.start_mark.line + 1, value
    return None
