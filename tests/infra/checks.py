"""Every check of the infrastructure, in one list."""

from tests.infra import agreement, language, security
from tests.infra.infrastructure import Infrastructure

CHECKS = (
    language.cannot_be_read,
    language.names_nothing,
    language.calls_wrongly,
    language.properties_unknown_to_azure,
    language.main_does_more_than_call,
    agreement.settings_differ,
    agreement.queues_differ,
    agreement.storage_differs,
    agreement.doors_differ,
    agreement.functions_differ,
    agreement.alerts_differ,
    security.roles_differ,
    security.is_left_open,
    security.shows_a_secret,
    security.guids_are_foreign,
)


def problems(infra: Infrastructure) -> list[str]:
    """Everything that any check finds."""
    return [problem for check in CHECKS for problem in check(infra)]
