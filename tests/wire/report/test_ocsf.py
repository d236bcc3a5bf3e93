"""Events keep what the class Detection Finding (2004) demands and say how a finding stands."""

import json
from typing import Any

import pytest

from shared.domain.posture.report import Report
from shared.wire.report.ocsf import findings_ocsf
from tests.wire.report.samples import AT, LAST_WEEK, first_report, report

REQUIRED = ("activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata", "finding_info")
RECOMMENDED = ("message", "status_id", "is_alert", "resources")
NAMES = {1: "New", 2: "In Progress", 3: "Suppressed", 4: "Resolved"}


def events(told: Report) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(findings_ocsf(told))
    return read


@pytest.mark.parametrize("told", [report(60), first_report()], ids=["later", "first"])
def test_every_event_has_what_the_class_demands(told: Report) -> None:
    for event in events(told):
        assert [key for key in (*REQUIRED, *RECOMMENDED) if key not in event] == []
        assert (event["class_uid"], event["category_uid"]) == (2004, 2)
        assert event["type_uid"] == 200_400 + event["activity_id"]
        assert event["activity_id"] in (1, 2, 3)
        assert event["severity_id"] in range(1, 6)
        assert NAMES[event["status_id"]] == event["status"]
        assert event["time"] == int(AT.timestamp() * 1_000)
        assert {"version", "product"} <= set(event["metadata"])
        assert event["metadata"]["product"]["vendor_name"]
        assert {"uid", "title", "analytic"} <= set(event["finding_info"])
        assert event["finding_info"]["analytic"]["type_id"] == 1
        assert event["resources"][0]["uid"]


def test_status_and_activity_follow_the_standing() -> None:
    seen = {(each["status_detail"], each["status"], each["activity_name"]) for each in events(report(60))}

    assert seen == {
        ("new", "New", "Create"),
        ("worse", "In Progress", "Update"),
        ("open", "In Progress", "Update"),
        ("accepted", "Suppressed", "Update"),
        ("classified", "Suppressed", "Update"),
        ("fixed", "Resolved", "Close"),
    }


def test_only_open_findings_are_alerts() -> None:
    alerting = {each["status_detail"] for each in events(report(60)) if each["is_alert"]}

    assert alerting == {"new", "worse", "open"}


def test_findings_of_the_first_report_are_new() -> None:
    assert {(each["status"], each["activity_name"]) for each in events(first_report())} == {("New", "Create")}


def test_fixed_finding_was_last_seen_in_the_previous_report() -> None:
    fixed = [each for each in events(report(60)) if each["status"] == "Resolved"]

    assert len(fixed) == 5
    assert {each["finding_info"]["last_seen_time"] for each in fixed} == {int(LAST_WEEK.timestamp() * 1_000)}


def test_what_was_not_seen_sends_no_event() -> None:
    told = report(60)

    assert len(events(told)) == len(told.entries) + 5
    assert len({each["finding_info"]["uid"] for each in events(told)}) == len(events(told))


def test_event_without_owner_or_fix_is_whole() -> None:
    ownerless = [each for each in events(report(60)) if each["metadata"]["event_code"] == "B1"]

    assert ownerless
    assert all("owner" not in each["resources"][0] for each in ownerless)


def test_no_finding_is_an_empty_array() -> None:
    assert json.loads(findings_ocsf(first_report(0))) == []
