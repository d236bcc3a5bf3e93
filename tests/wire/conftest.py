"""Property tests state what always holds, however busy the machine is: no example has a deadline."""

from hypothesis import settings

settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")
