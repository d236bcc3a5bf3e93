"""Table rows of what Tether remembers about a principal: one row of facts, one of state, in one partition.

The ledger is compressed: a table property holds 64 KiB, and an identity may have hundreds of groups.
"""

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from shared.domain.evidence import ChainHead
from shared.domain.ledger import Ledger
from shared.domain.principals import AccountState, Principal, PrincipalKind
from shared.domain.records import Claim, PrincipalState

FACTS, STATE = "facts", "state"
_LEDGER: TypeAdapter[Ledger] = TypeAdapter(Ledger)


def facts_row(principal: Principal) -> dict[str, Any]:
    """The row of a principal as last read from Entra."""
    return {
        "PartitionKey": principal.principal_id,
        "RowKey": FACTS,
        "Kind": principal.kind.value,
        "State": principal.state.value,
        "DisplayName": principal.display_name,
        "Emails": "\n".join(sorted(principal.emails)),
        "AppId": principal.app_id or "",
        "BlueprintId": principal.blueprint_id or "",
    }


def parse_facts(row: Mapping[str, Any]) -> Principal:
    """The principal that a row of facts holds."""
    return Principal(
        row["PartitionKey"],
        PrincipalKind(row["Kind"]),
        AccountState(row["State"]),
        row["DisplayName"],
        frozenset(filter(None, row["Emails"].split("\n"))),
        row["AppId"] or None,
        row["BlueprintId"] or None,
    )


def state_row(state: PrincipalState) -> dict[str, Any]:
    """The row of a principal's state; absent values are stored as empty texts, because a merge would keep them."""
    return {
        "PartitionKey": state.principal_id,
        "RowKey": STATE,
        "ClaimOwner": state.claim.owner if state.claim else "",
        "ClaimExpiresAt": _text(state.claim.expires_at if state.claim else None),
        "Ledger": zlib.compress(_LEDGER.dump_json(state.ledger)),
        "ChainHash": state.chain.digest,
        "ChainEntries": state.chain.entries,
        "ChainSize": state.chain.size,
        "FollowUpAt": _text(state.follow_up_at),
        "UnprovenSince": _text(state.unproven_since),
    }


def parse_state(row: Mapping[str, Any], version: str | None) -> PrincipalState:
    """The state that a row holds."""
    expires_at = _time(row["ClaimExpiresAt"])
    return PrincipalState(
        row["PartitionKey"],
        Claim(row["ClaimOwner"], expires_at) if expires_at else None,
        _LEDGER.validate_json(zlib.decompress(row["Ledger"])),
        ChainHead(row["ChainHash"], int(row["ChainEntries"]), int(row["ChainSize"])),
        _time(row["FollowUpAt"]),
        _time(row["UnprovenSince"]),
        version,
    )


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
