r"""Prepares the gateway for Tether: its service account, one key for each reviewer group, and the webhook.

Without --apply nothing is changed: you see what would be. Run it as often as you like; what is there is left alone.

  export GATEWAY_ADMIN_KEY=...      # an admin's key at the gateway (hpk_...), legacy API key, or access token
  python -m infra.set_up_gateway --gateway https://gateway.example --principal OBJECT-ID \
      --routes approval-routes.yaml --break-glass-group break-glass \
      --webhook https://YOUR-APP.azurewebsites.net/api/gateway/events --key-vault YOUR-VAULT [--apply]

1. The managed identity becomes a service account in the gateway's admin group: it signs in with a token of Entra, so
   Tether keeps no secret for this. OBJECT-ID is its principal id.
2. Each route with a key-setting gets a key that holds exactly its reviewer group. A key is shown by the gateway once,
   goes to Key Vault under the name that the app's settings refer to, and is never printed, unless --show-keys asks so.
3. With an Enterprise licence, the webhook tells Tether of new reviews at once. Without one the gateway would refuse
   sessions instead, so nothing is set up, and Tether asks every ten seconds.

To replace a key, run this again with --generation 2, restart the app, and revoke the key of the generation before.
"""

import argparse
import os
import secrets
import sys
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from infra.key_vault import Keeper, Terminal, open_vault
from infra.stopped import StoppedError
from shared.domain.clouds import CloudName
from shared.errors import SettingsError
from shared.wire.approval_routes import parse_approval_routes
from shared.wire.gateway_events import GatewayEventKind

ACCOUNT_NAME = "tether"
WEBHOOK_SECRET = "gateway-webhook-secrets"  # noqa: S105 - its name in the vault
_EVENTS = [kind.value for kind in GatewayEventKind if kind is not GatewayEventKind.OTHER]
_ADVICE = {
    401: "check GATEWAY_ADMIN_KEY: the gateway does not know it",
    403: "GATEWAY_ADMIN_KEY has to belong to an admin",
    404: "the gateway does not know it; for webhooks, WEBHOOK_APPKEY has to be set at the gateway",
}


@dataclass(frozen=True, slots=True)
class WantedKey:
    """One key: the app setting that will hold it, and the reviewer group that it speaks for."""

    setting: str
    group: str

    @property
    def secret_name(self) -> str:
        """The setting's name as Key Vault allows it, and as the app's settings refer to it."""
        return self.setting.lower().replace("_", "-")


class Gateway:
    """The few calls this needs, each failure with its next step."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def call(self, method: str, path: str, body: object = None, *, missing: object = None) -> Any:  # noqa: ANN401
        """The JSON of an answer; what stands for `missing` when the gateway knows no such thing."""
        try:
            answer = self._client.request(method, f"/api{path}", json=body)
        except httpx.HTTPError as error:
            raise StoppedError(f"the gateway cannot be reached at {self._client.base_url}: {error}") from error
        if answer.status_code == 404 and missing is not None:
            return missing
        if answer.status_code >= 400:
            advice = _ADVICE.get(answer.status_code, answer.text[:200])
            raise StoppedError(f"the gateway said {answer.status_code} to {method} /api{path}: {advice}")
        if answer.status_code != 204 and "json" not in answer.headers.get("content-type", ""):
            raise StoppedError(f"what answers at {self._client.base_url} is not the gateway's API: check --gateway")
        return answer.json() if answer.content else None


@dataclass
class SetUp:
    """One run: it says what is and what would be, and does it only when asked."""

    gateway: Gateway
    keeper: Keeper | None
    apply: bool
    pending: int = 0

    def service_account(self, principal: str) -> None:
        """The managed identity as an active service account in the admin group."""
        admins = self.gateway.call("GET", "/serverconfig/auth")["admin_role_name"]
        rows = self.gateway.call("GET", "/serviceaccounts") or []
        account = next((row for row in rows if row["subject"].lower() == principal), None)
        groups = sorted({*((account or {}).get("groups") or ()), admins})
        if account and account["status"] == "active" and sorted(account.get("groups") or ()) == groups:
            print(f"service account {principal}: is active in {admins}")
            return
        name = (account or {}).get("name") or ACCOUNT_NAME
        body = {"subject": principal, "name": name, "status": "active", "groups": groups}
        path = f"/serviceaccounts/{account['subject']}" if account else "/serviceaccounts"
        if self._is_to_do(f"service account {principal}: is to be active in {admins}"):
            self.gateway.call("PUT" if account else "POST", path, body)

    def keys(self, wanted: Sequence[WantedKey], generation: int) -> None:
        """A key for each reviewer group, under a name that says what it is for; those that exist are looked at only."""
        there = {row["name"]: row for row in self.gateway.call("GET", "/api-keys") or []}
        for key in wanted:
            name = f"teams-approvals:{key.group}" + (f":{generation}" if generation > 1 else "")
            if name in there:
                _judge_key(there[name], key)
            elif self._is_to_do(f"key {name}: is to be made for {key.setting}"):
                self._make_key(name, key)

    def webhook(self, url: str) -> None:
        """The endpoint that tells Tether, where the licence allows it."""
        licence = (self.gateway.call("GET", "/serverinfo").get("license_info") or {}).get("type")
        if licence != "enterprise":
            print(f"webhook: none, because the gateway's licence is {licence}; Tether asks every ten seconds instead")
            print(
                "  leave GATEWAY_WEBHOOK_SECRETS empty, and never enable the webhooks plugin: sessions would be refused"
            )
            return
        enabled = self.gateway.call("GET", "/plugins/webhooks", missing={})
        if not enabled and self._is_to_do("webhook: its plugin is to be enabled, for no connection yet"):
            self.gateway.call("POST", "/plugins", {"name": "webhooks", "connections": []})
        endpoints = self.gateway.call("GET", "/webhooks/endpoints", missing={"data": []})["data"] if enabled else []
        if any(row["url"] == url for row in endpoints):
            print(f"webhook {url}: is there; its secret cannot be read, and is in the vault if this program made it")
        elif self._is_to_do(f"webhook {url}: is to be made, with a secret of its own"):
            self._make_webhook(url)

    def _make_key(self, name: str, key: WantedKey) -> None:
        keeper = self._keeper(key.secret_name)
        made = self.gateway.call("POST", "/api-keys", {"name": name, "groups": [key.group]})
        try:
            keeper.keep(key.secret_name, made["key"])
        except StoppedError as error:
            self.gateway.call("DELETE", f"/api-keys/{made['id']}")
            raise StoppedError(
                f"{error}; the new key was revoked, so run this again with the next --generation"
            ) from error

    def _make_webhook(self, url: str) -> None:
        secret = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
        # Kept before it is used: a webhook whose secret nobody has could only be deleted.
        self._keeper(WEBHOOK_SECRET).keep(WEBHOOK_SECRET, secret)
        body = {"url": url, "description": "Tether", "filterTypes": _EVENTS, "secret": secret}
        self.gateway.call("POST", "/webhooks/endpoints", body)

    def _keeper(self, name: str) -> Keeper:
        if self.keeper is None:
            raise StoppedError("say where secrets go: --key-vault YOUR-VAULT, or --show-keys to have them printed")
        self.keeper.check(name)
        return self.keeper

    def _is_to_do(self, sentence: str) -> bool:
        print(sentence + ("" if self.apply else " (would be)"))
        self.pending += not self.apply
        return self.apply


def main(arguments: Sequence[str] | None = None, open_keeper: Callable[[str, CloudName], Keeper] = open_vault) -> int:
    """The exit code: 0 done or shown, 2 when it had to stop."""
    asked = _parser().parse_args(arguments)
    try:
        keeper: Keeper | None = Terminal() if asked.show_keys else None
        if asked.key_vault:
            keeper = open_keeper(asked.key_vault, CloudName(asked.cloud))
        with _client(asked.gateway, os.environ.get("GATEWAY_ADMIN_KEY", "").strip()) as client:
            run = SetUp(Gateway(client), keeper, asked.apply)
            wanted = _wanted_keys(asked.routes, asked.break_glass_group)
            run.service_account(asked.principal.lower())
            run.keys(wanted, asked.generation)
            if asked.webhook:
                run.webhook(asked.webhook)
    except StoppedError as error:
        print(f"stopped: {error}", file=sys.stderr)
        return 2
    if run.pending:
        print(f"\nNothing was changed; {run.pending} steps are open. Add --apply to take them.")
    return 0


def _judge_key(found: dict[str, Any], wanted: WantedKey) -> None:
    name, groups = found["name"], found.get("groups") or []
    if found["status"] != "active":
        raise StoppedError(
            f"key {name} is {found['status']}, and its name is taken: run this with the next --generation"
        )
    if groups != [wanted.group]:
        raise StoppedError(f"key {name} holds {groups}, and has to hold exactly [{wanted.group!r}]: correct it first")
    print(f"key {name}: is there; its value cannot be read again, and belongs into {wanted.secret_name}")


def _wanted_keys(file: Path | None, break_glass_group: str | None) -> list[WantedKey]:
    if file is None:
        return []
    try:
        routes = parse_approval_routes(file.read_text(encoding="utf-8"), file.name)
    except OSError as error:
        raise StoppedError(f"{file} cannot be read: check --routes") from error
    except SettingsError as error:
        raise StoppedError(error.detail) from error
    found = [WantedKey(route.key_setting, route.reviewer_group) for route in routes.routes if route.key_setting]
    forcing = routes.break_glass.key_setting if routes.break_glass else None
    if forcing and not break_glass_group:
        raise StoppedError(f"{file} has a break-glass key: name the gateway's group for it with --break-glass-group")
    return found + ([WantedKey(forcing, break_glass_group)] if forcing and break_glass_group else [])


def _client(gateway: str, key: str) -> httpx.Client:
    if not key:
        raise StoppedError("set GATEWAY_ADMIN_KEY to an admin's key at the gateway; it is only used while this runs")
    is_bearer = key.startswith(("hpk_", "ey"))
    headers = {"Authorization": f"Bearer {key}"} if is_bearer else {"Api-Key": key}
    return httpx.Client(base_url=gateway.rstrip("/").removesuffix("/api"), headers=headers, timeout=60.0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.set_up_gateway",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--gateway", required=True, type=_address, help="the gateway's address, without /api")
    parser.add_argument("--principal", required=True, help="object id of Tether's managed identity")
    parser.add_argument("--routes", type=Path, help="approval-routes.yaml: which reviewer groups need a key")
    parser.add_argument("--break-glass-group", help="the gateway's group that may force an approval")
    parser.add_argument("--webhook", type=_address, help="Tether's address for webhooks, ending in /api/gateway/events")
    parser.add_argument("--generation", type=int, default=1, help="2, 3 and so on: new keys beside the ones before")
    parser.add_argument("--cloud", choices=list(CloudName), default=os.environ.get("AZURE_CLOUD") or "AzureCloud")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--key-vault", help="name of the Key Vault that new secrets go to")
    where.add_argument("--show-keys", action="store_true", help="print new secrets instead: mind who looks on")
    parser.add_argument("--apply", action="store_true", help="do it")
    return parser


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise argparse.ArgumentTypeError("use https://")
    return text


if __name__ == "__main__":
    sys.exit(main())
