"""`python -m tools.scale`: what Tether costs and uses at several sizes, from infra/scale.json into docs/scale.md."""

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Computes the tables of docs/scale.md from infra/scale.json: monthly cost, instances, Service Bus operations and the
share of Graph's quota, by number of users. Put your own prices, rates and measurements into infra/scale.json, or into a
copy of it, and run this again; everything between the marks in docs/scale.md is written anew."""
EXAMPLES = """\
examples:
  python -m tools.scale                            write the tables
  python -m tools.scale --check                    write nothing; exit code 1 when they are out of date
  python -m tools.scale --data mine.json --print   print the tables for your own prices"""
ROOT = Path(__file__).parents[1]
DATA, PAGE = ROOT / "infra" / "scale.json", ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- tables: written by `python -m tools.scale` -->", "<!-- end of tables -->"
MONTH_SECONDS = 730 * 3600
TICK_SECONDS, TICKING = 10, 2
BUS_OPERATIONS_PER_MESSAGE = 3
TABLE_OPERATIONS_PER_LOOK, WRITES_PER_REVOCATION = 4, 6
MESSAGES_PER_REVOCATION, MESSAGES_PER_REVIEW = 4, 12
PREMIUM_FROM_PEAK = 1000
MILLION, GIGABYTE = 1e6, 1e6


@dataclass(frozen=True, slots=True)
class Size:
    """One tenant, per month: messages on the queues, and the busiest second of directory changes."""

    users: int
    notifications: float
    revocations: float
    reviews: float
    peak: float

    @property
    def messages(self) -> float:
        """Looks at principals, verifications, looks at reviews and cards."""
        return self.notifications + MESSAGES_PER_REVOCATION * self.revocations + MESSAGES_PER_REVIEW * self.reviews

    @property
    def ticks(self) -> float:
        """Executions of the timers that run every ten seconds."""
        return TICKING * MONTH_SECONDS / TICK_SECONDS


def sizes(data: dict[str, Any]) -> list[Size]:
    """The tenants that the data asks about."""
    assume = _values(data["assumptions"])
    found = []
    for users in data["sizes"]:
        notifications = users * assume["notifications_per_user_month"]
        peak = notifications / MONTH_SECONDS * assume["peak_factor"]
        revocations = users * assume["revocations_per_user_month"]
        found.append(Size(users, notifications, revocations, users * assume["reviews_per_user_month"], peak))
    return found


def costs(size: Size, data: dict[str, Any]) -> dict[str, float]:
    """US dollars per month by part."""
    price = {name: each["usd"] for name, each in data["prices"].items()}
    assume, free = _values(data["assumptions"]), data["free"]
    memory, executions = assume["instance_gb"], size.messages + size.ticks
    busy = size.ticks * assume["billed_seconds_per_tick"] * memory
    looks = size.messages * assume["billed_seconds_per_look"] * memory
    idle = assume["always_ready_instances"] * memory * MONTH_SECONDS
    logged = (
        size.messages * assume["kilobytes_logged_per_look"] + size.ticks * assume["kilobytes_logged_per_tick"]
    ) / GIGABYTE
    operations = size.messages * BUS_OPERATIONS_PER_MESSAGE
    kept = size.revocations * assume["evidence_kilobytes_per_revocation"] / GIGABYTE * 12
    return {
        "always-ready instances": idle * price["flex_always_ready_gb_second"]
        + looks * price["flex_always_ready_run_gb_second"],
        "timers": max(0.0, busy - free["on_demand_gb_seconds"]) * price["flex_on_demand_gb_second"],
        "executions": max(0.0, executions - free["on_demand_executions"]) / MILLION * price["flex_million_executions"],
        "Service Bus": _bus(operations, size, data),
        "Storage": (size.messages * TABLE_OPERATIONS_PER_LOOK) / 1e4 * price["table_10k_operations"]
        + size.revocations * WRITES_PER_REVOCATION / 1e4 * price["blob_10k_writes"]
        + kept * price["blob_gb_month"],
        "logs and alerts": max(0.0, logged - free["log_gb"]) * price["log_gb"]
        + assume["log_alerts"] * price["log_alert_month"],
    }


def is_premium(size: Size) -> bool:
    """Whether the busiest second sends more than a Standard namespace takes without throttling."""
    return size.peak * BUS_OPERATIONS_PER_MESSAGE > PREMIUM_FROM_PEAK


def _bus(operations: float, size: Size, data: dict[str, Any]) -> float:
    price = {name: each["usd"] for name, each in data["prices"].items()}
    if is_premium(size):
        return float(price["bus_premium_unit_month"])
    above = max(0.0, operations - data["free"]["bus_operations"]) / MILLION
    return float(price["bus_standard_month"] + above * price["bus_standard_million_operations"])


def quota(size: Size, data: dict[str, Any], *, peak: bool) -> float:
    """The share of Graph's resource units that looks and sweeps use, in percent."""
    graph = data["graph"]
    rate = size.peak if peak else size.notifications / MONTH_SECONDS
    used = 10 * rate * graph["units_per_look"] + graph["units_per_sweep"]
    return float(100 * used / graph["units_per_10_seconds"]["L"])


def instances(size: Size, data: dict[str, Any]) -> int:
    """Instances that keep up with the busiest second."""
    return max(1, -int(-size.peak // _values(data["measured"])["revocations_per_second"]))


def tables(data: dict[str, Any]) -> str:
    """The tables as Markdown."""
    all_sizes = sizes(data)
    every = [costs(size, data) for size in all_sizes]
    head = ["", *(f"{size.users:,} users" for size in all_sizes)]
    cost = [[part, *(f"${each[part]:,.2f}" for each in every)] for part in every[0]]
    cost.append(["**in all, a month**", *(f"**${sum(each.values()):,.0f}**" for each in every)])
    use = [
        ["notifications a month", *(f"{size.notifications:,.0f}" for size in all_sizes)],
        ["changes in the busiest second", *(f"{size.peak:,.1f}" for size in all_sizes)],
        ["instances that keep up with it", *(str(instances(size, data)) for size in all_sizes)],
        ["queue messages a month", *(f"{size.messages:,.0f}" for size in all_sizes)],
        ["Service Bus tier", *("Premium, 1 unit" if is_premium(size) else "Standard" for size in all_sizes)],
        ["Graph quota used, on average", *(f"{quota(size, data, peak=False):.2f} %" for size in all_sizes)],
        ["Graph quota used, busiest ten seconds", *(f"{quota(size, data, peak=True):.1f} %" for size in all_sizes)],
    ]
    prices = [
        [f"${each['usd']:.6f}".rstrip("0").rstrip("."), each["unit"], each["source"]]
        for each in data["prices"].values()
    ]
    because = [
        [name.replace("_", " "), f"{each['value']:g}", each["why"]]
        for part in ("assumptions", "measured")
        for name, each in data[part].items()
    ]
    return "\n\n".join(
        (
            "### Cost", _table(head, cost), "### Use", _table(head, use),
            "### Unit prices", _table(["price", "per", "source"], prices),
            "### Rates", _table(["rate", "value", "why"], because),
        )
    )  # fmt: skip


def written(page: str, data: dict[str, Any]) -> str:
    """The page with its tables as they are now. Raises `ValueError` when the page has no marks for them."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no place for tables: write {BEGIN!r} and {END!r} where they belong")
    return pattern.sub(lambda _: f"{BEGIN}\n\n{tables(data)}\n\n{END}", page)


def _values(of: dict[str, Any]) -> dict[str, float]:
    return {name: float(each["value"]) for name, each in of.items()}


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 when the page is up to date."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.scale",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="prices, rates and measurements (infra/scale.json)")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--print", action="store_true", help="print the tables, write nothing")
    asked = parser.parse_args(arguments)
    data = json.loads(asked.data.read_text(encoding="utf-8"))
    if asked.print:
        print(tables(data))
        return 0
    before = PAGE.read_text(encoding="utf-8")
    after = written(before, data)
    if asked.check:
        return int(before != after)
    PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
