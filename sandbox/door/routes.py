"""Reads `approval-routes.yaml`: which Entra group answers for a reviewer group, and in which channel."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from sandbox.door.picture import Picture


@dataclass(frozen=True, slots=True)
class Route:
    """The Entra group, by name or object id, and the channel's id and name."""

    approvers: str
    place: str
    channel: str


Routes = Mapping[str, Route]


def read_routes() -> Routes:
    """The routes of the file at `APPROVAL_ROUTES_FILE`; none where it is missing or wrong, which the app reports."""
    file = os.environ.get("APPROVAL_ROUTES_FILE")
    try:
        return routes_of(yaml.safe_load(Path(file).read_text(encoding="utf-8"))) if file else {}
    except (OSError, yaml.YAMLError, AttributeError, TypeError, KeyError):
        return {}


def routes_of(document: object) -> Routes:
    """The routes of a parsed file by reviewer group; raises what its wrong shape makes Python raise."""
    if not isinstance(document, dict):
        return {}
    channels = document.get("channels") or {}
    return {
        str(row["reviewer-group"]): Route(
            str(row.get("approvers") or row["reviewer-group"]), str(channels[row["channel"]]), str(row["channel"])
        )
        for row in document.get("routes") or ()
    }


def approvers_of(reviewer_group: str, routes: Routes, picture: Picture) -> frozenset[str]:
    """The object ids of those who may answer for a reviewer group, as far as the directory says."""
    route = routes.get(reviewer_group)
    name = route.approvers if route else reviewer_group
    groups = [group for group in picture.members if name in (group, picture.names.get(group))]
    return frozenset().union(*(picture.principals_in(group) for group in groups))
