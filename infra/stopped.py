"""How the set-up programs end early: with one sentence and the next step."""


class StoppedError(Exception):
    """What went wrong, and what to do about it, for the person who runs the program."""
