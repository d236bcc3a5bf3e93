"""Pages: what all of them are made with: the templates, one style, one script, and what a browser may do with them."""

import functools

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from shared.wire.cards.words import day, moment
from shared.wire.report.policy import content_security_policy
from shared.wire.report.text import plain, shown


def page_policy() -> str:
    """The Content-Security-Policy of every page, for whoever serves one."""
    return content_security_policy(asset("report.css"), asset("report.js"))


@functools.cache
def environment() -> Environment:
    """The templates, which escape."""
    made = Environment(
        loader=PackageLoader("shared.wire.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"shown": shown, "plain": plain, "day": day, "moment": moment}
    return made


@functools.cache
def asset(name: str) -> Markup:
    """The style or the script, to be written into a page."""
    loader = environment().loader
    return Markup(loader.get_source(environment(), name)[0].strip()) if loader else Markup("")  # noqa: S704 - our file
