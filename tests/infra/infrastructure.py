"""The whole infrastructure: its files, read and parsed, and where they call each other."""

import posixpath
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tests.infra.bicep import BicepFile, Declaration, parse, read_infra

MAIN = "main.bicep"
_OUTPUT = re.compile(r"\b(\w+)\.outputs\.(\w+)")


class Infrastructure:
    """Every Bicep file below `infra/`, or a copy of it with some text changed."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)
        self.files: dict[str, BicepFile] = {path: parsed(text) for path, text in sorted(texts.items())}

    def changed(self, path: str, text: str) -> "Infrastructure":
        """A copy in which one file reads otherwise."""
        return Infrastructure(self.texts | {path: text})

    def deployed(self, type_: str) -> list[dict[str, Any]]:
        """Every resource of a type, loops unrolled."""
        return [body for file in self.files.values() for body in file.resources(type_)]

    def called(self, path: str, module: Declaration) -> str:
        """The path of the file that a module call names."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(path), module.target))


def outputs_used(text: str) -> list[tuple[str, str]]:
    """Every `module.outputs.name` in a text, as module and name."""
    return [(found[1], found[2]) for found in _OUTPUT.finditer(text)]


def current() -> Infrastructure:
    """The infrastructure as it is in the repository."""
    return Infrastructure(read_infra())


@lru_cache(maxsize=256)
def parsed(text: str) -> BicepFile:
    """A text, parsed once."""
    return parse(text)
