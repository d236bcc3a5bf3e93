"""Who is shown a report, and which of its files."""

from dataclasses import replace

import pytest

from shared.domain.principals import AccountState
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.show_report import Readers, show_report
from tests.fakes.clock import FakeClock
from tests.fakes.entra import FakeEntra, guid
from tests.fakes.reports import FakeReports

OLD, NEW = "20270104T090000Z", "20270111T090000Z"
PAGE = ("newest", "report.html")


class Room:
    """Two reports, and a group with one reader in it."""

    def __init__(self) -> None:
        self.entra = FakeEntra(FakeClock())
        self.reports = FakeReports()
        self.reader = self.entra.user("reader")
        self.stranger = self.entra.user("stranger")
        self.group = self.entra.group("readers", self.reader)
        for report_id in (OLD, NEW):
            self.keep(report_id, "report.html", f"page of {report_id}".encode())
            self.keep(report_id, "snapshot.json", b"not for readers")
            self.keep(report_id, "announcement.json", b"not for readers")

    def keep(self, report_id: str, name: str, content: bytes) -> None:
        self.reports.files[report_id, name] = content
        self.reports.whole.add(report_id)

    async def show(self, asked: tuple[str, str] = PAGE, reader_id: str | None = None) -> bytes:
        readers = Readers(self.group)
        return (await show_report(asked, reader_id or self.reader, readers, self.reports, self.entra)).content


@pytest.fixture
def room() -> Room:
    return Room()


async def test_nobody_who_has_not_signed_in_is_shown_anything(room: Room) -> None:
    with pytest.raises(RejectedError, match="unauthenticated"):
        await show_report(PAGE, None, Readers(room.group), room.reports, room.entra)

    assert room.reports.faults.calls == {}


async def test_somebody_outside_the_group_is_shown_nothing(room: Room) -> None:
    with pytest.raises(RejectedError, match="forbidden"):
        await room.show(reader_id=room.stranger)

    assert room.reports.faults.calls == {}


@pytest.mark.parametrize("asked", [("unknown", "report.html"), ("newest", "unknown.html")])
async def test_somebody_outside_the_group_does_not_learn_which_reports_there_are(
    room: Room, asked: tuple[str, str]
) -> None:
    with pytest.raises(RejectedError, match="forbidden"):
        await room.show(asked, room.stranger)


async def test_account_that_entra_does_not_know_is_shown_nothing(room: Room) -> None:
    with pytest.raises(RejectedError, match="forbidden"):
        await room.show(reader_id=guid("never existed"))


async def test_somebody_who_left_the_group_is_shown_nothing(room: Room) -> None:
    await room.show()
    room.entra.remove(room.group, room.reader)

    with pytest.raises(RejectedError, match="forbidden"):
        await room.show()


async def test_nobody_is_shown_anything_while_no_group_is_configured(room: Room) -> None:
    with pytest.raises(RejectedError, match="forbidden"):
        await show_report(PAGE, room.reader, Readers(None), room.reports, room.entra)

    assert room.reports.faults.calls == {}


async def test_newest_report_is_shown_to_a_reader(room: Room) -> None:
    assert await room.show() == f"page of {NEW}".encode()


async def test_member_of_a_group_in_the_group_is_a_reader(room: Room) -> None:
    room.entra.add(room.group, room.entra.group("inner", room.stranger))

    assert await room.show(reader_id=room.stranger) == f"page of {NEW}".encode()


async def test_shown_file_says_which_report_is_the_newest(room: Room) -> None:
    shown = await show_report(PAGE, room.reader, Readers(room.group), room.reports, room.entra)

    assert shown.report_id == NEW


@pytest.mark.parametrize("taken", ["disable", "delete", "purge"])
async def test_reader_whose_account_entra_took_away_is_shown_nothing_although_the_sign_in_lasts(
    room: Room, taken: str
) -> None:
    await room.show()
    getattr(room.entra, taken)(room.reader)

    with pytest.raises(RejectedError, match="forbidden"):
        await room.show()


async def test_reader_of_whom_entra_does_not_say_whether_the_account_is_enabled_is_shown_nothing(room: Room) -> None:
    known = room.entra.truth.principals[room.reader]
    room.entra.truth.principals[room.reader] = replace(known, state=AccountState.UNKNOWN)

    with pytest.raises(RejectedError, match="forbidden"):
        await room.show()


async def test_workload_in_the_group_is_shown_nothing(room: Room) -> None:
    bot = room.entra.service_principal("bot")
    room.entra.add(room.group, bot)

    with pytest.raises(RejectedError, match="forbidden"):
        await room.show(reader_id=bot)


@pytest.mark.parametrize("reader_id", ["", "me", "../groups", "a/b", "7e7e0000-0000-4000-8000-00000000000"])
async def test_reader_id_that_is_no_object_id_is_refused_and_entra_is_not_asked(room: Room, reader_id: str) -> None:
    room.entra.truth.principals.clear()

    with pytest.raises(RejectedError, match="forbidden"):
        await show_report(PAGE, reader_id, Readers(room.group), room.reports, room.entra)

    assert room.reports.faults.calls == {}


async def test_older_report_is_shown_by_its_id(room: Room) -> None:
    assert await room.show((OLD, "report.html")) == f"page of {OLD}".encode()


@pytest.mark.parametrize(
    "name", ["report.html", "findings.csv", "changes.csv", "findings.ocsf.json", "manifest.sha256"]
)
async def test_every_file_for_readers_is_shown(room: Room, name: str) -> None:
    room.keep(NEW, name, name.encode())

    assert await room.show(("newest", name)) == name.encode()


async def test_report_is_unknown_before_the_first(room: Room) -> None:
    room.reports.whole.clear()

    with pytest.raises(RejectedError, match="unknown-report"):
        await room.show()


async def test_report_that_was_interrupted_is_not_shown(room: Room) -> None:
    room.reports.whole.remove(NEW)

    assert await room.show() == f"page of {OLD}".encode()
    with pytest.raises(RejectedError, match="unknown-report"):
        await room.show((NEW, "report.html"))


@pytest.mark.parametrize("report_id", ["20270118T090000Z", "", "..", ".", f"./{NEW}", f"{NEW}/", f"{OLD}/../{NEW}"])
async def test_report_id_that_is_none_is_refused_unread(room: Room, report_id: str) -> None:
    with pytest.raises(RejectedError, match="unknown-report"):
        await room.show((report_id, "report.html"))

    assert room.reports.faults.calls["read"] == 0


@pytest.mark.parametrize(
    "name",
    [
        "snapshot.json",
        "announcement.json",
        "./snapshot.json",
        f"../{NEW}/snapshot.json",
        "../x",
        "..",
        "",
        "a/b",
        "a\\b",
        "..\\snapshot.json",
        "%2e%2e/snapshot.json",
        "snapshot.json?",
        "snapshot.json#",
        "snapshot.json/",
        "snapshot.json.",
        "snapshot.json\n",
        "snapshot.json\0",
        "SNAPSHOT.json",
    ],
)
async def test_name_that_is_no_file_for_readers_is_refused_unread(room: Room, name: str) -> None:
    room.keep(NEW, name, b"not for readers")

    with pytest.raises(RejectedError, match="unknown-report"):
        await room.show(("newest", name))

    assert room.reports.faults.calls["read"] == 0


async def test_refusal_keeps_what_was_asked_for_on_one_line(room: Room) -> None:
    with pytest.raises(RejectedError) as refused:
        await room.show(("newest", "x\nrefused: forged"))

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("fault", ["list_ids", "read"])
async def test_reader_is_told_to_come_again_while_storage_is_down(room: Room, fault: str) -> None:
    room.reports.faults.plan(fault, RetryLaterError("storage-unreachable"))

    with pytest.raises(RetryLaterError):
        await room.show()
