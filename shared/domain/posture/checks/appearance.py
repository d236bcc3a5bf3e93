"""Appearance: names that want to be taken for Microsoft's, in whatever letters they are written."""

import unicodedata

LOOKALIKES = str.maketrans(
    {
        "\u0430": "a",  # Cyrillic
        "\u0435": "e",
        "\u043e": "o",
        "\u0440": "p",
        "\u0441": "c",
        "\u0443": "y",
        "\u0445": "x",
        "\u0456": "i",
        "\u0455": "s",
        "\u043c": "m",
        "\u0433": "r",
        "\u0442": "t",
        "\u03bf": "o",  # Greek
        "\u03b9": "i",
        "\u03b1": "a",
        "\u03c1": "p",
        "\u0131": "i",  # without its dot
        "0": "o",
        "1": "i",
        "|": "i",
        "!": "i",
        "$": "s",
        "5": "s",
    }
)
FIRST_PARTY = frozenset(
    {
        "azure active directory powershell",
        "azure portal",
        "graph explorer",
        "office 365 exchange online",
        "office 365 management apis",
        "office 365 sharepoint online",
        "windows azure active directory",
        "windows azure service management api",
    }
)
"""Names of Microsoft's own applications that do not begin with its name."""


def looks_like_microsoft(name: str) -> bool:
    """Whether a person in a hurry would take it for one of Microsoft's."""
    folded = _fold(name)
    return folded.startswith("microsoft") or folded in _FOLDED_FIRST_PARTY


def _fold(name: str) -> str:
    if name.isascii() and name.isprintable():
        return " ".join(name.casefold().translate(LOOKALIKES).split())
    plain = unicodedata.normalize("NFKD", name).casefold()
    visible = "".join(one for one in plain if unicodedata.category(one) not in ("Cf", "Mn", "Cc"))
    return " ".join(visible.translate(LOOKALIKES).split())


_FOLDED_FIRST_PARTY = frozenset(_fold(name) for name in FIRST_PARTY)
