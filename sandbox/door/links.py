"""Reads `identity-map.yaml`: names that a group stands for, agents tied by hand, and who always gets in."""

import os
from collections import defaultdict
from pathlib import Path

import yaml

from sandbox.door.picture import IdentityLinks


def read_links() -> IdentityLinks:
    """The links of the map at `IDENTITY_MAP_FILE`; none where it is missing or wrong, which the app itself reports."""
    file = Path(os.environ.get("IDENTITY_MAP_FILE") or "identity-map.yaml")
    try:
        return links_of(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, AttributeError, TypeError, KeyError):
        return IdentityLinks()


def links_of(document: object) -> IdentityLinks:
    """The links of a parsed map; raises what its wrong shape makes Python raise."""
    if not isinstance(document, dict):
        return IdentityLinks()
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for entry in document.get("identity-map") or ():
        names = (entry.get("gateway-group"), entry.get("connection"))
        groups[str(entry["entra-group"])] |= {str(name) for name in names if name}
    agents: defaultdict[str, set[str]] = defaultdict(set)
    for entry in document.get("agents") or ():
        agents[str(entry["entra"]).lower()] |= {str(name) for name in entry["gateway"].values()}
    kept = frozenset(str(name).casefold() for name in document.get("break-glass") or ())
    return IdentityLinks(
        {name: frozenset(names) for name, names in groups.items()},
        {principal: frozenset(names) for principal, names in agents.items()},
        kept,
    )
