"""Ids of generated objects: computed from seed, kind and index, and read back without a table."""

import uuid
from enum import IntEnum

_MASK = (1 << 48) - 1
_FACTOR = 0x9E3779B97F4B
_INVERSE = pow(_FACTOR, -1, 1 << 48)
_NAMESPACE = uuid.UUID("7e7e0000-0000-4000-8000-000000000004")


class IdKind(IntEnum):
    """What an id is of."""

    APPLICATION = 0xA001
    APP_ID = 0xA002
    PRINCIPAL = 0xA003
    KEY = 0xA004
    SIGN_IN = 0xA005
    ASSIGNMENT = 0xA006
    GRANT = 0xA007
    TWIN_KEY = 0xA008


def bulk_id(kind: IdKind, seed: int, index: int) -> str:
    """The id of one object among many; neighbours do not look alike."""
    return id_prefix(kind, seed) + id_ending(index)


def id_prefix(kind: IdKind, seed: int) -> str:
    """What the ids of one kind begin with."""
    return f"{seed & 0xFFFFFFFF:08x}-{kind:04x}-4b1d-8000-"


def id_ending(index: int) -> str:
    """What the ids of one index end with, whatever their kind."""
    return f"{(index + 1) * _FACTOR & _MASK:012x}"


def bulk_index(kind: IdKind, seed: int, object_id: str) -> int | None:
    """The index that an id was made from, or None when it is of another kind or seed."""
    text = object_id.lower()
    if len(text) != 36 or not text.startswith(id_prefix(kind, seed)):
        return None
    try:
        return (int(text[24:], 16) * _INVERSE & _MASK) - 1
    except ValueError:
        return None


def planted_id(seed: int, label: str) -> str:
    """The id of something planted, the same for the same seed and label."""
    return str(uuid.uuid5(_NAMESPACE, f"{seed}/{label}"))
