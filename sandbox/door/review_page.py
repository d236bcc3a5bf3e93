"""The part of the page's JSON that is about approvals: what can be asked for, what waits, and how each request went."""

from dataclasses import dataclass
from functools import cached_property

from sandbox import cast
from sandbox.door.changes import Changes
from sandbox.door.events import Json
from sandbox.door.page import MOST_ROWS, row_json
from sandbox.door.picture import Picture
from sandbox.door.review_wording import enumerated, question, said, standing
from sandbox.door.reviews import DECISIONS, Review, Reviews, Step, StepKind
from sandbox.door.routes import Routes, approvers_of
from sandbox.door.teams import Teams
from sandbox.door.wording import duration

MOST_ASKERS, MOST_PENDING = 100, 20
SUGGESTED = ((cast.SYNC_AGENT.subject, cast.CUSTOMERS_DB), (cast.GRACE.subject, cast.VAULT_DB))
_REFUSALS = frozenset({StepKind.REFUSED, StepKind.UNANSWERED, StepKind.HUNG_UP, StepKind.REVOKED})
_SINCE = {
    StepKind.CARD: "since the question",
    StepKind.UPDATED: "since the decision",
    StepKind.TOLD: "since the decision",
}
_KINDS = {"users": "Person", "service_accounts": "Service account", "ai_agents": "AI agent", "api_keys": "API key"}


@dataclass(frozen=True)
class Scene:
    """All that is needed to say who somebody is and where they are found."""

    snapshot: Json
    picture: Picture
    routes: Routes
    teams: Teams | None

    @cached_property
    def identities(self) -> dict[str, Json]:
        """Everybody at the gateway by subject: name, kind, status and groups."""
        rows = [(row, kind) for table, kind in _KINDS.items() for row in self.snapshot[table]]
        return {
            str(row.get("subject") or row["id"]): {
                "name": row.get("name") or row.get("email") or row["id"],
                "kind": kind,
                "active": row.get("status", "active") == "active",
                "groups": frozenset(row.get("groups") or ()),
            }
            for row, kind in rows
        }

    @cached_property
    def reviews(self) -> dict[str, Json]:
        """The gateway's reviews by id."""
        return {row["id"]: row for row in self.snapshot["reviews"]}

    def requester(self, subject: str) -> str:
        """Who asks, by the gateway's subject."""
        return str(self.identities.get(subject, {}).get("name") or subject or "Somebody")

    def name(self, step: Step) -> str:
        """Who did a step."""
        if not step.in_teams:
            return self.picture.label(step.who)
        people = self.teams.world.people if self.teams else {}
        return self.picture.names.get(step.who) or people.get(step.who) or step.who


def approvals_json(reviews: Reviews, scene: Scene, *, is_real: bool, teams_up: bool) -> Json:
    """Above the columns: who can ask for what, and what waits for whom."""
    offers = [] if is_real else _offers(scene)
    can_ask = {(one["subject"], offer["connection"]) for offer in offers for one in offer["askers"]}
    waiting = [one for one in reviews.all.values() if one.is_waiting and not one.hung_up]
    return {
        "real": is_real,
        "teams": {"url": scene.teams.link(), "up": teams_up} if scene.teams else None,
        "offers": offers,
        "suggestions": [
            {"subject": subject, "connection": connection, "name": scene.requester(subject)}
            for subject, connection in SUGGESTED
            if (subject, connection) in can_ask
        ],
        "pending": [_pending(one, scene) for one in reversed(waiting[-MOST_PENDING:])],
        "more": max(0, len(waiting) - MOST_PENDING),
    }


def review_row_json(review: Review, scene: Scene) -> Json:
    """One row of the timeline."""
    reason = scene.reviews.get(review.id, {}).get("rejection_reason") or ""
    word = standing(review, reason)
    return {
        "id": review.id,
        "kind": "review",
        "at": review.at * 1000,
        "title": question(review, scene.requester(review.subject)),
        "state": "open" if word == "waiting" and not review.hung_up else word,
        "steps": [
            {
                "key": f"{step.kind}-{step.at}",
                "text": said(step, scene.name, reason),
                "took": "" if step.took is None else duration(max(0.0, step.took) * 1000),
                "since": _SINCE.get(step.kind, "since the click"),
                "tone": _tone(step),
            }
            for step in sorted(review.steps, key=lambda step: step.at)
        ],
    }


def timeline_json(changes: Changes, reviews: Reviews, scene: Scene, now: float) -> list[Json]:
    """The right column, newest first: what Entra changed, and what was asked for."""
    rows = [row_json(change, now, scene.picture) for change in changes.all[-MOST_ROWS:]]
    rows += [review_row_json(review, scene) for review in [*reviews.all.values()][-MOST_ROWS:]]
    return sorted(rows, key=lambda row: float(row["at"]), reverse=True)[:MOST_ROWS]


def _tone(step: Step) -> str:
    if step.kind in DECISIONS or step.kind is StepKind.OPENED:
        return "bad" if step.kind is StepKind.REJECTED else "good"
    return "odd" if step.kind in _REFUSALS else "plain"


def _pending(review: Review, scene: Scene) -> Json:
    kept = scene.reviews.get(review.id, {})
    groups = _unanswered(review, kept, scene)
    needed = kept.get("min_approvals")
    return {
        "id": review.id,
        "at": review.at * 1000,
        "title": question(review, scene.requester(review.subject)),
        "waitsFor": enumerated([_people_of(one, review, scene) for one in groups], "or" if needed == 1 else "and"),
        "links": [link for one in groups if (link := _link(one, review, scene))],
    }


def _unanswered(review: Review, kept: Json, scene: Scene) -> list[str]:
    """The reviewer groups that have not approved; the gateway hears of votes in Teams only once they are enough."""
    groups = [row["group"] for row in kept.get("review_groups_data") or () if row["status"] != "APPROVED"]
    for vote in (step for step in review.steps if step.kind is StepKind.VOTED and step.in_teams):
        answered = next((one for one in groups if vote.who in _deciders(one, review, scene)), None)
        groups = [one for one in groups if one != answered]
    return groups


def _people_of(group: str, review: Review, scene: Scene) -> str:
    names = sorted(scene.picture.names.get(one, one) for one in _deciders(group, review, scene))
    label = scene.picture.label(group)
    return f"{enumerated(names, 'or')} ({label})" if 0 < len(names) <= 4 else label


def _link(group: str, review: Review, scene: Scene) -> Json | None:
    route = scene.routes.get(group)
    if scene.teams is None or route is None or route.place not in review.channels:
        return None
    deciders = sorted(_deciders(group, review, scene), key=lambda one: scene.picture.names.get(one, one))
    return {"name": f"#{route.channel}", "url": scene.teams.link(route.place, deciders[0] if deciders else "")}


def _deciders(group: str, review: Review, scene: Scene) -> frozenset[str]:
    asking = {one for one, subjects in scene.picture.subjects.items() if review.subject in subjects}
    return approvers_of(group, scene.routes, scene.picture) - asking - scene.picture.off


def _offers(scene: Scene) -> list[Json]:
    reviewed = [row for row in scene.snapshot["connections"] if _verbs(row, scene.snapshot)]
    return [
        {
            "connection": row["name"],
            "commands": "command" in _verbs(row, scene.snapshot),
            "askers": _askers(row["name"], scene),
        }
        for row in sorted(reviewed, key=lambda row: str(row["name"]))
    ]


def _verbs(connection: Json, snapshot: Json) -> set[str]:
    """What needs a review on a connection, by a rule or by reviewers of its own."""
    rules = [rule for rule in snapshot.get("rules") or () if connection["name"] in (rule["connection_names"] or ())]
    own = {"jit", "command"} if connection.get("reviewers") else set()
    return own.union(*(rule["access_type"].split("_") for rule in rules))


def _askers(connection: str, scene: Scene) -> list[Json]:
    found = [
        {"subject": subject, "name": one["name"], "kind": one["kind"]}
        for subject, one in scene.identities.items()
        if one["active"] and scene.picture.reaches(one["groups"], connection)
    ]
    return sorted(found, key=lambda one: str(one["name"]).casefold())[:MOST_ASKERS]
