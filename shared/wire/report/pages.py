"""Pages: what all of them are made with: the templates, one style, one script, and what a browser may do with them."""

import functools
import html
import re
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from shared.wire.cards.words import day, moment
from shared.wire.report.policy import content_security_policy
from shared.wire.report.text import plain, shown

_CARRIED = re.compile(rb'http-equiv="Content-Security-Policy" content="(default-src &#39;none&#39;; [ -~]*?)"')


def page_policy() -> str:
    """The Content-Security-Policy of every page, for whoever serves one."""
    return content_security_policy(asset("report.css"), asset("report.js"))


def policy_of(page: bytes) -> str:
    """The policy that a kept page carries: one of an earlier release has another style than pages have now."""
    carried = _CARRIED.search(page, 0, 4_096)
    return html.unescape(carried[1].decode()) if carried else page_policy()


def reach_path(object_id: str) -> str:
    """Where the app shows what an identity reaches; empty without an id."""
    kind, slash, key = object_id.partition("/")
    # A name may hold what no address can.
    written = [quote(part, safe="", errors="replace") for part in (kind, key)]
    return f"/api/reach/{slash.join(written) if slash else written[0]}" if object_id else ""


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
    made.filters |= {"shown": shown, "plain": plain, "day": day, "moment": moment, "reach_path": reach_path}
    return made


@functools.cache
def asset(name: str) -> Markup:
    """The style or the script, to be written into a page."""
    loader = environment().loader
    return Markup(loader.get_source(environment(), name)[0].strip()) if loader else Markup("")  # noqa: S704 - our file
