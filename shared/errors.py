"""Errors, grouped by what the caller does about them.

    TetherError
    ├── RejectedError          never going to work: 4xx, dead letter with `reason`
    ├── RetryLaterError        not now: 503 with Retry-After, or a scheduled copy; `retry_after` in seconds
    │   ├── DeltaLinkLostError      Graph has forgotten where the sweep was: everybody has to be looked at
    │   ├── UnknownOutcomeError     it may have happened: look before doing it again
    │   └── ClaimedElsewhereError   somebody else is at work on it: look again in a second, not counted as an attempt
    ├── AlreadyDecidedError    somebody was faster: not a failure
    └── SettingsError          the app must not start

`reason` is a kebab-case word that serves as HTTP body, dead-letter reason and metric attribute alike.
"""


class TetherError(Exception):
    """An error of ours, with a machine-readable `reason` and a sentence for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class RejectedError(TetherError):
    """What was asked will never work; repeating it changes nothing."""


class RetryLaterError(TetherError):
    """It may work later; `retry_after` is the least wait in seconds that the other side asked for."""

    def __init__(self, reason: str, detail: str = "", *, retry_after: float = 0.0) -> None:
        super().__init__(reason, detail)
        self.retry_after = retry_after


class DeltaLinkLostError(RetryLaterError):
    """Graph no longer knows the delta link: what changed since is unknown."""

    def __init__(self, resource: str) -> None:
        super().__init__("delta-link-lost", resource)


class UnknownOutcomeError(RetryLaterError):
    """Something was asked for and no answer came: whether it happened is unknown."""


class ClaimedElsewhereError(RetryLaterError):
    """Another worker holds the claim; the work is theirs until it ends or the claim expires."""

    def __init__(self, claimed: str) -> None:
        super().__init__("claimed-elsewhere", claimed, retry_after=1.0)


class AlreadyDecidedError(TetherError):
    """The outcome stands already."""


class SettingsError(TetherError):
    """A setting is missing, weak or wrong; the text names it and the fix."""

    def __init__(self, detail: str) -> None:
        super().__init__("bad-settings", detail)
