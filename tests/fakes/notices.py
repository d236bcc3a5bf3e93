"""Notices in memory: what was put first stays."""

from shared.domain.card_copy import Face


class FakeNotices:
    """Faces by notice id."""

    def __init__(self) -> None:
        self.stored: dict[str, Face] = {}

    async def put(self, notice_id: str, face: Face) -> None:
        self.stored.setdefault(notice_id, face)

    async def read(self, notice_id: str) -> Face | None:
        return self.stored.get(notice_id)
