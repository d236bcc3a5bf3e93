"""Entra's directory through Microsoft Graph v1.0, with plain HTTP: quick to start and light in memory."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote

from shared.adapters.graph_people import GraphPeople, paths_behind
from shared.adapters.json_api import Answer, JsonApi
from shared.domain.approval import Person
from shared.domain.posture.gateway_view import GroupFacts
from shared.domain.principals import AccountState, Principal, PrincipalKind
from shared.domain.sweep import DeltaPage
from shared.errors import DeltaLinkLostError, RetryLaterError
from shared.ports import Clock
from shared.wire.graph_groups import group_paths, parse_group_facts
from shared.wire.graph_objects import TRACKED, USER_FIELDS, DirectoryObject, parse_delta_page, parse_object

BATCH = 20
CHECK_LIMIT = 20
_Item = TypeVar("_Item")
_COLLECTIONS = {
    PrincipalKind.USER: "users",
    PrincipalKind.SERVICE_PRINCIPAL: "servicePrincipals",
    PrincipalKind.GROUP: "groups",
}


class GraphDirectory:
    """Reads of users, groups, service principals and agent identities."""

    def __init__(self, api: JsonApi, clock: Clock, base_url: str) -> None:
        self._api = api
        self._clock = clock
        self._base_url = base_url
        self._people = GraphPeople(api)
        self._group_ids: dict[str, str] = {}

    async def describe(self, principal_id: str, kind: PrincipalKind) -> Principal | None:
        """See `Directory.describe`."""
        answer = await self._api.get(_object_path(principal_id, kind))
        if answer.status == 404:
            return await self._describe_deleted(principal_id, kind)
        found = parse_object(_expect(answer))
        if kind is PrincipalKind.UNKNOWN and found.kind in (PrincipalKind.USER, PrincipalKind.SERVICE_PRINCIPAL):
            # A directoryObject read promises no more than the type: the state is read from the collection.
            return await self.describe(principal_id, found.kind)
        return await self._with_blueprint(found, found.kind if kind is PrincipalKind.UNKNOWN else kind)

    async def describe_many(self, principals: Collection[Principal]) -> Mapping[str, Principal]:
        """See `Directory.describe_many`."""
        paths = {p.principal_id: _object_path(p.principal_id, p.kind) for p in principals}
        answers = await self._batch("GET", {id_: (path, None) for id_, path in paths.items()})
        kinds = {p.principal_id: p for p in principals}
        described: dict[str, Principal] = {}
        for principal_id, answer in answers.items():
            known = kinds[principal_id]
            if answer.status == 404:
                described[principal_id] = _deleted(known)
            elif answer.status == 200:
                described[principal_id] = await self._with_blueprint(parse_object(answer.document), known.kind)
            else:
                raise RetryLaterError(f"graph-{answer.status}", "one item of a batch failed")
        return described

    async def find_users(self, emails: Collection[str]) -> Mapping[str, Sequence[Principal]]:
        """See `Directory.find_users`."""
        requests = {str(n): (_find_path(email), None) for n, email in enumerate(emails)}
        answers = await self._batch("GET", requests)
        found: dict[str, Sequence[Principal]] = {}
        for number, email in enumerate(emails):
            users = map(parse_object, _expect(answers[str(number)])["value"])
            found[email] = [user.principal(PrincipalKind.USER) for user in users]
        return found

    async def direct_groups(self, principal_id: str, kind: PrincipalKind) -> frozenset[str]:
        """See `Directory.direct_groups`."""
        path = f"/v1.0/{_COLLECTIONS[kind]}/{principal_id}/memberOf?$select=id&$top=999"
        groups: set[str] = set()
        while path:
            answer = await self._api.get(path)
            if answer.status == 404:
                return frozenset()
            page = _expect(answer)
            groups.update(parse_object(raw).id.lower() for raw in page["value"])
            path = page.get("@odata.nextLink", "")
        return frozenset(groups)

    async def memberships(self, principal_id: str, groups: Collection[str]) -> frozenset[str]:
        """See `Directory.memberships`."""
        parts = _parts(sorted(groups), CHECK_LIMIT)
        found = await asyncio.gather(*(self._memberships(principal_id, part) for part in parts))
        return frozenset().union(*found)

    async def memberships_of_many(self, wanted: Mapping[str, Collection[str]]) -> Mapping[str, frozenset[str]]:
        """See `Directory.memberships_of_many`."""
        requests = {
            f"{principal_id}:{number}": (f"/directoryObjects/{principal_id}/checkMemberGroups", {"groupIds": part})
            for principal_id, groups in wanted.items()
            for number, part in enumerate(_parts(sorted(groups), CHECK_LIMIT))
        }
        found: dict[str, frozenset[str]] = dict.fromkeys(wanted, frozenset())
        for name, answer in (await self._batch("POST", requests)).items():
            principal_id = name.partition(":")[0]
            if answer.status == 404:
                found[principal_id] = await self.memberships(principal_id, wanted[principal_id])
            else:
                found[principal_id] |= _member_of(answer)
        return found

    async def members(self, group_id: str, most: int) -> Sequence[Person]:
        """See `Directory.members`."""
        return await self._people.members(group_id, most)

    async def people_behind(self, principal: Principal) -> tuple[Sequence[Person], Sequence[Person]]:
        """See `Directory.people_behind`."""
        return await self._people.people_behind(principal)

    async def people_behind_many(
        self, principals: Collection[Principal]
    ) -> Mapping[str, tuple[Sequence[Person], Sequence[Person]]]:
        """See `Directory.people_behind_many`."""
        paths = {one.principal_id: paths_behind(one) for one in principals}
        named = {f"{id_}:{number}": path for id_, some in paths.items() for number, path in enumerate(some)}
        answers = await self._batch("GET", {name: (path, None) for name, path in named.items()})
        return {
            one.principal_id: await self._people.told(
                one, [answers[f"{one.principal_id}:{number}"] for number in range(len(paths[one.principal_id]))]
            )
            for one in principals
        }

    async def group_ids(self, display_names: Collection[str]) -> Mapping[str, str]:
        """See `Directory.group_ids`. A name that was resolved once is not asked for again by this process."""
        unknown = sorted(set(display_names) - self._group_ids.keys())
        requests = {name: (f"/groups?$filter=displayName eq {_quote(name)}&$select=id", None) for name in unknown}
        for name, answer in (await self._batch("GET", requests)).items():
            groups = _expect(answer)["value"]
            if len(groups) == 1:
                self._group_ids[name] = groups[0]["id"].lower()
        return {name: self._group_ids[name] for name in display_names if name in self._group_ids}

    async def group_facts(self, group_ids: Collection[str]) -> Mapping[str, GroupFacts]:
        """See `Directory.group_facts`. Only beta lists service principals among the members of a group."""
        requests = {f"{id_}:{what}": (path, None) for id_ in group_ids for what, path in group_paths(id_).items()}
        answers = await self._batch("GET", requests, "beta")
        documents = {name: answer.document if answer.status == 200 else None for name, answer in answers.items()}
        gone = {id_ for id_ in group_ids if answers[f"{id_}:group"].status == 404}
        return {
            id_: parse_group_facts(*(documents[f"{id_}:{what}"] for what in group_paths(id_)))
            for id_ in sorted(set(group_ids) - gone)
        }

    async def latest_delta_link(self, resource: str) -> str:
        """See `Directory.latest_delta_link`."""
        path = f"/v1.0/{resource}/delta?$deltatoken=latest&$select={TRACKED[resource]}"
        page = parse_delta_page(_expect(await self._api.get(path)), resource, self._clock.now(), "")
        return page.link

    async def delta(self, resource: str, link: str) -> DeltaPage:
        """See `Directory.delta`."""
        if not link.startswith(f"{self._base_url}/"):
            raise DeltaLinkLostError(resource)
        answer = await self._api.get(link)
        if answer.status in (400, 404, 410):
            raise DeltaLinkLostError(resource)
        return parse_delta_page(_expect(answer), resource, self._clock.now(), self._clock.new_id())

    async def _describe_deleted(self, principal_id: str, kind: PrincipalKind) -> Principal | None:
        answer = await self._api.get(f"/v1.0/directory/deletedItems/{principal_id}")
        if answer.status == 404:
            return None
        found = parse_object(_expect(answer))
        return found.principal(kind if kind is not PrincipalKind.UNKNOWN else found.kind, AccountState.DELETED)

    async def _with_blueprint(self, found: DirectoryObject, kind: PrincipalKind) -> Principal:
        """A blueprint that is disabled or gone disables its agent identities."""
        if found.blueprint_id is None or found.state.is_shut:
            return found.principal(kind)
        application, blueprint = await asyncio.gather(
            self._api.get(f"/v1.0/applications(appId='{found.blueprint_id}')?$select=id,appId,isDisabled"),
            self._api.get(f"/v1.0/servicePrincipals(appId='{found.blueprint_id}')?$select=id,appId,accountEnabled"),
        )
        # The application of a blueprint may live in another tenant; its principal is always in ours.
        shut = blueprint.status == 404 or parse_object(_expect(blueprint)).state.is_shut
        shut = shut or (application.status != 404 and parse_object(_expect(application)).state.is_shut)
        return found.principal(kind, AccountState.DISABLED if shut else None)

    async def _memberships(self, principal_id: str, groups: list[str]) -> frozenset[str]:
        """404 says that the principal is gone, or that one of the groups is: then each is asked about alone."""
        path = f"/v1.0/directoryObjects/{principal_id}/checkMemberGroups"
        answer = await self._api.request("POST", path, json={"groupIds": groups})
        if answer.status == 404 and len(groups) > 1:
            alone = await asyncio.gather(*(self._memberships(principal_id, [group]) for group in groups))
            return frozenset().union(*alone)
        return _member_of(answer)

    async def _batch(
        self, method: str, requests: Mapping[str, tuple[str, object]], version: str = "v1.0"
    ) -> Mapping[str, Answer]:
        answers: dict[str, Answer] = {}
        for part in _parts(sorted(requests), BATCH):
            body = {"requests": [_batch_item(method, name, *requests[name]) for name in part]}
            document = _expect(await self._api.request("POST", f"/{version}/$batch", json=body))
            answers.update(_batch_answers(document))
        missing = requests.keys() - answers.keys()
        if missing:
            raise RetryLaterError("graph-answered-nonsense", f"{len(missing)} items of a batch have no answer")
        return answers


def _object_path(principal_id: str, kind: PrincipalKind) -> str:
    if kind is PrincipalKind.USER:
        return f"/v1.0/users/{principal_id}?$select={USER_FIELDS}"
    collection = _COLLECTIONS.get(kind, "directoryObjects")
    return f"/v1.0/{collection}/{principal_id}"


def _find_path(email: str) -> str:
    value = _quote(email)
    conditions = (
        f"mail eq {value} or userPrincipalName eq {value} or proxyAddresses/any(p:p eq {_quote('smtp:' + email)})"
    )
    return f"/users?$filter={conditions}&$select={USER_FIELDS}"


def _quote(text: str) -> str:
    return "'" + quote(text.replace("'", "''"), safe="'@") + "'"


def _deleted(known: Principal) -> Principal:
    return replace(known, state=AccountState.DELETED)


def _expect(answer: Answer) -> dict[str, Any]:
    if answer.status >= 400 or not isinstance(answer.document, dict):
        raise RetryLaterError(f"graph-{answer.status}", "an answer that this read does not expect")
    return answer.document


def _member_of(answer: Answer) -> frozenset[str]:
    """A principal that is gone is a member of nothing, and nobody is a member of a group that is gone."""
    if answer.status == 404:
        return frozenset()
    return frozenset(group.lower() for group in _expect(answer)["value"])


def _batch_item(method: str, name: str, path: str, body: object) -> dict[str, Any]:
    item: dict[str, Any] = {"id": name, "method": method, "url": path.removeprefix("/v1.0")}
    if body is not None:
        item |= {"body": body, "headers": {"Content-Type": "application/json"}}
    if "$count=true" in path:
        item["headers"] = {"ConsistencyLevel": "eventual"}
    return item


def _batch_answers(document: Mapping[str, Any]) -> Iterator[tuple[str, Answer]]:
    for item in document["responses"]:
        status = int(item["status"])
        if status in (429, 503):
            headers = {str(name).lower(): str(value) for name, value in (item.get("headers") or {}).items()}
            retry_after = headers.get("retry-after", "")
            wait = float(retry_after) if retry_after.isdigit() else 0.0
            raise RetryLaterError(f"graph-{status}", "one item of a batch", retry_after=wait)
        yield str(item["id"]), Answer(status, item.get("body"))


def _parts(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
