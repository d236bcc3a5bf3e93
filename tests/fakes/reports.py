"""Reports in memory: files by report, and which reports are whole."""

from collections.abc import Mapping, Sequence

from tests.fakes.faults import Faults


class FakeReports:
    """Files by report id and name. `faults` plans failures, also of a put that is interrupted: `file` and `mark`."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self.whole: set[str] = set()
        self.faults = Faults()

    async def put(self, report_id: str, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            await self.faults.meet("file")
            self.files[report_id, name] = content
        await self.faults.meet("mark")
        self.whole.add(report_id)

    async def newest(self) -> str | None:
        return next(iter(await self.list_ids()), None)

    async def read(self, report_id: str, name: str) -> bytes | None:
        await self.faults.meet("read")
        return self.files.get((report_id, name))

    async def list_ids(self) -> Sequence[str]:
        await self.faults.meet("list_ids")
        return sorted(self.whole, reverse=True)
