"""Tether's icons, drawn: an identity on the left, held by a line to the gate on the right.

`python -m infra.teams.icons` writes both files beside this module.
"""

import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent
COLOR_SIZE, OUTLINE_SIZE = 192, 32
NAVY, WHITE, GREEN = (0x1F, 0x3A, 0x5F), (0xFF, 0xFF, 0xFF), (0x7B, 0xD8, 0x8F)
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FINENESS = 4
Pixel = tuple[int, int, int, int]


def color_icon() -> bytes:
    """The full-colour icon, 192 by 192, without any transparent part."""
    return _png(COLOR_SIZE, lambda x, y: _over(_over((*NAVY, 255), WHITE, _gate(x, y)), GREEN, _identity(x, y)))


def outline_icon() -> bytes:
    """The outline icon, 32 by 32, white on nothing."""

    def pixel(x: float, y: float) -> Pixel:
        return (*WHITE, round(255 * max(_gate(x, y, 1.3), _identity(x, y, 1.3))))

    return _png(OUTLINE_SIZE, pixel)


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height. Raises ValueError for what is no PNG."""
    if not png.startswith(SIGNATURE) or png[12:16] != b"IHDR":
        raise ValueError("not a PNG")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def pixels_of(png: bytes) -> list[Pixel]:
    """The pixels of an icon as it is drawn here: eight bits a channel, with alpha, rows unfiltered."""
    width, height = size_of(png)
    if png[24:26] != bytes((8, 6)):
        raise ValueError("not eight bits a channel with alpha")
    data, at = b"", len(SIGNATURE)
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        data += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    rows = zlib.decompress(data)
    stride = 1 + 4 * width
    if len(rows) != stride * height or any(rows[y * stride] for y in range(height)):
        raise ValueError("rows are filtered")
    found = (rows[y * stride + 1 + 4 * x : y * stride + 5 + 4 * x] for y in range(height) for x in range(width))
    return [(one[0], one[1], one[2], one[3]) for one in found]


def _gate(x: float, y: float, weight: float = 1.0) -> float:
    """How much of a point is in the ring or in the line to it; the picture reaches from 0 to 1."""
    ring = abs(math.hypot(x - 0.66, y - 0.5) - 0.19) < 0.042 * weight
    line = 0.30 < x < 0.48 and abs(y - 0.5) < 0.036 * weight
    return float(ring or line)


def _identity(x: float, y: float, weight: float = 1.0) -> float:
    return float(math.hypot(x - 0.24, y - 0.5) < 0.085 * weight)


def _over(below: Pixel, color: tuple[int, int, int], share: float) -> Pixel:
    red, green, blue = (round(old + (new - old) * share) for old, new in zip(below, color, strict=False))
    return red, green, blue, below[3]


def _png(size: int, pixel: Callable[[float, float], Pixel]) -> bytes:
    rows = b"".join(b"\0" + bytes(v for x in range(size) for v in _smooth(pixel, x, y, size)) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _smooth(pixel: Callable[[float, float], Pixel], x: int, y: int, size: int) -> Pixel:
    """The mean of a few points within one pixel, which is what makes edges look round."""
    offsets = [(n + 0.5) / _FINENESS for n in range(_FINENESS)]
    points = [pixel((x + across) / size, (y + down) / size) for across in offsets for down in offsets]
    red, green, blue, alpha = (round(sum(values) / len(points)) for values in zip(*points, strict=True))
    return red, green, blue, alpha


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


if __name__ == "__main__":
    (FOLDER / "color.png").write_bytes(color_icon())
    (FOLDER / "outline.png").write_bytes(outline_icon())
