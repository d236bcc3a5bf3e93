"""`/serviceaccounts`: list, create and whole-groups PUT; there is no GET by subject."""

from starlette.responses import JSONResponse, Response

from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.records import ORG_ID, Json, ServiceAccount
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, none_if_empty, required, text, texts


def service_account_json(account: ServiceAccount) -> Json:
    """A service account as the API shows it."""
    return {
        "id": account.id,
        "org_id": ORG_ID,
        "subject": account.subject,
        "name": account.name,
        "status": account.status,
        "groups": none_if_empty(account.groups),
    }


async def list_service_accounts(state: GatewayState, _call: Call) -> Response:
    rows = [service_account_json(account) for account in state.service_accounts.values()]
    return JSONResponse(rows or None)


async def create_service_account(state: GatewayState, call: Call) -> Response:
    subject, status = required(call.body, "subject"), _status(call.body)
    if subject in state.service_accounts:
        raise RefusalError(409, "service account already exists")
    account = state.add_service_account(subject, text(call.body, "name"), status, texts(call.body, "groups"))
    state.events.record("service-account-created", subject, after=_access_of(account))
    return JSONResponse(service_account_json(account), 201)


async def put_service_account(state: GatewayState, call: Call) -> Response:
    required(call.body, "subject")
    status = _status(call.body)
    found = state.service_accounts.get(call.path["subject"])
    if found is None:
        raise RefusalError(404, "resource not found")
    account, counts = state.to_change(found)
    before = _access_of(account)
    account.name = text(call.body, "name") or account.name
    account.status, account.groups = status, texts(call.body, "groups")
    kind = "service-account-updated" if counts else "put-ignored"
    state.events.record(kind, account.subject, before=before, after=_access_of(account), by=call.caller.name)
    return JSONResponse(service_account_json(account))


def _status(body: Json) -> str:
    status = required(body, "status")
    if status not in ("active", "inactive"):
        raise RefusalError(422, "invalid status, accept only: active, inactive")
    return status


def _access_of(account: ServiceAccount) -> Json:
    return {"status": account.status, "groups": list(account.groups)}


ROUTES = [
    Endpoint("GET", "/serviceaccounts", Role.READERS, list_service_accounts),
    Endpoint("POST", "/serviceaccounts", Role.ADMIN, create_service_account),
    Endpoint("PUT", "/serviceaccounts/{subject}", Role.ADMIN, put_service_account),
]
