"""Scale on paper: the page says what the data gives, and the data say what they must."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tools.scale import DATA, PAGE, costs, instances, is_premium, main, quota, sizes, tables, written


@pytest.fixture
def data() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return content


def test_page_is_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_page_is_out_of_date_once_a_price_changes(data: dict[str, Any]) -> None:
    data["prices"]["log_gb"]["usd"] *= 2

    page = PAGE.read_text(encoding="utf-8")

    assert written(page, data) != page


def test_page_without_a_place_for_tables_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no place for tables"):
        written("# Scale", data)


def test_every_price_says_its_unit_and_its_source(data: dict[str, Any]) -> None:
    assert all(each["unit"] and each["source"].startswith("https://") for each in data["prices"].values())
    assert all(each["why"] for part in ("assumptions", "measured") for each in data[part].values())


@pytest.mark.parametrize("price", list(json.loads(DATA.read_text(encoding="utf-8"))["prices"]))
def test_every_price_counts_somewhere(data: dict[str, Any], price: str) -> None:
    """A Premium namespace is only paid for in a busy tenant."""
    data["assumptions"]["peak_factor"]["value"] = 1000 if price.startswith("bus_premium") else 20
    data["free"] = dict.fromkeys(data["free"], 0)
    dearer = copy.deepcopy(data)
    dearer["prices"][price]["usd"] *= 10

    assert sum(costs(sizes(dearer)[-1], dearer).values()) > sum(costs(sizes(data)[-1], data).values())


def test_larger_tenants_cost_more_and_use_more(data: dict[str, Any]) -> None:
    small, middle, large = sizes(data)

    total = [sum(costs(size, data).values()) for size in (small, middle, large)]
    used = [quota(size, data, peak=True) for size in (small, middle, large)]

    assert total == sorted(total)
    assert used == sorted(used)
    assert used[-1] < 100
    assert instances(small, data) <= instances(large, data)


def test_namespace_is_premium_from_a_thousand_operations_a_second(data: dict[str, Any]) -> None:
    assert not is_premium(sizes(data)[-1])

    data["assumptions"]["peak_factor"]["value"] = 1000

    assert is_premium(sizes(data)[-1])
    assert costs(sizes(data)[-1], data)["Service Bus"] == data["prices"]["bus_premium_unit_month"]["usd"]


def test_tables_name_every_size(data: dict[str, Any]) -> None:
    data["sizes"] = [7, 4242]

    text = tables(data)

    assert "| 7 users |" in text
    assert "4,242 users" in text


def test_own_prices_are_printed_and_the_page_is_left_alone(
    data: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.json"
    data["prices"]["log_gb"]["usd"] = 99.5
    mine.write_text(json.dumps(data), encoding="utf-8")
    before = PAGE.read_bytes()

    code = main(["--data", str(mine), "--print"])

    assert (code, PAGE.read_bytes()) == (0, before)
    assert "$99.5" in capsys.readouterr().out
