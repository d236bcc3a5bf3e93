"""Storage's exceptions in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared.errors import AlreadyDecidedError, RetryLaterError

_CONFLICTS = (409, 412)


@contextmanager
def storage_errors() -> Iterator[None]:
    """A lost compare-and-swap becomes `AlreadyDecidedError`, the rest `RetryLaterError`; missing stays missing."""
    try:
        yield
    except ResourceNotFoundError:
        raise
    except AzureError as error:
        if isinstance(error, HttpResponseError) and error.status_code in _CONFLICTS:
            raise AlreadyDecidedError("storage-conflict", error.reason or "") from error
        raise RetryLaterError("storage-unreachable", type(error).__name__) from error
