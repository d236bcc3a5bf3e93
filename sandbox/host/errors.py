"""Why the host cannot start an app."""


class AppError(Exception):
    """The app, its host.json or its settings cannot be used; the message names the cause."""
