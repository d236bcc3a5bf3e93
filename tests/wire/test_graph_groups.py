"""Counts of groups: told, listed, refused, and more than one page shows."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.posture.gateway_view import GroupFacts
from shared.errors import RetryLaterError
from shared.wire.graph_groups import parse_group_facts

GROUP = {"id": "1", "displayName": "team", "createdDateTime": "2026-01-02T03:04:05Z"}


def test_facts_are_the_name_the_age_and_both_counts() -> None:
    facts = parse_group_facts(GROUP, {"@odata.count": 7, "value": [{}]}, {"value": [{}, {}]})

    assert facts == GroupFacts("team", 7, 2, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.mark.parametrize("rows", [None, {"value": [{}], "@odata.nextLink": "more"}])
def test_list_that_was_refused_or_goes_on_leaves_its_count_open(rows: dict[str, Any] | None) -> None:
    facts = parse_group_facts(GROUP, {"@odata.count": 0, "value": []}, rows)

    assert (facts.member_count, facts.owner_count) == (0, None)


def test_group_that_was_refused_has_no_name() -> None:
    assert parse_group_facts(None, None, None) == GroupFacts("")


@pytest.mark.parametrize(
    ("group", "members"), [({"createdDateTime": "yesterday"}, None), (GROUP, {"@odata.count": 1}), (GROUP, "7")]
)
def test_nonsense_is_a_reason_to_ask_again(group: dict[str, Any], members: object) -> None:
    with pytest.raises(RetryLaterError, match="graph-answered-nonsense"):
        parse_group_facts(group, members, None)
