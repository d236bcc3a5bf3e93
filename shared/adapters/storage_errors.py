"""Storage's exceptions in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

from shared.errors import AlreadyDecidedError, RetryLaterError

_CONFLICTS = (ResourceExistsError, ResourceModifiedError)


@contextmanager
def storage_errors() -> Iterator[None]:
    """A lost compare-and-swap becomes `AlreadyDecidedError`, the rest `RetryLaterError`; missing stays missing."""
    try:
        yield
    except _CONFLICTS as error:
        raise AlreadyDecidedError("storage-conflict", error.reason or "") from error
    except ResourceNotFoundError:
        raise
    except AzureError as error:
        raise RetryLaterError("storage-unreachable", type(error).__name__) from error
