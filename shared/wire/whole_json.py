"""Whole JSON: a vendor may say half a character, which no file or table takes; a question mark stands for it."""

import json
from typing import TypeVar

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

Value = TypeVar("Value")


def dump_whole(adapter: TypeAdapter[Value], value: Value) -> bytes:
    """The value as JSON that everybody can read."""
    try:
        return adapter.dump_json(value)
    except PydanticSerializationError:
        document = adapter.dump_python(value, mode="json")
        return json.dumps(document, ensure_ascii=False).encode(errors="replace")
