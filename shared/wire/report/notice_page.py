"""Notice page: why a reader is not shown what they asked for, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from shared.wire.report.pages import asset, environment, page_policy

_NEWEST = "/api/reports"


@dataclass(frozen=True, slots=True)
class _Notice:
    heading: str
    says: str
    links: tuple[tuple[str, str], ...] = ()


_OTHER_ACCOUNT = (f"/.auth/logout?post_logout_redirect_uri={quote(_NEWEST, safe='')}", "Sign in as somebody else")
_TO_NEWEST = (_NEWEST, "The newest report")
_NOTICES: Mapping[str, _Notice] = {
    "unauthenticated": _Notice(
        "Nobody can sign in here",
        "This app does not sign people in yet. Whoever runs it switches App Service authentication on, and then "
        "members of one group may read.",
    ),
    "forbidden": _Notice(
        "This is not for you to read",
        "Posture reports are for the members of one Entra group whose accounts are enabled. Ask whoever runs Tether to "
        "add you to it, or sign in with another account.",
        (_OTHER_ACCOUNT,),
    ),
    "unknown-report": _Notice(
        "There is no such report",
        "It is not kept any more, or the first report has not been made yet: one is made each week, and whenever "
        "somebody asks for it (POST /api/reports).",
        (_TO_NEWEST,),
    ),
    "unknown-identity": _Notice(
        "Nobody at the gateway has this id",
        "It holds no access there now, or it is known under another id: people, agents and service principals have the "
        "object id that Entra gave them, and others their kind and name, such as machine-identity/ci.",
        (_TO_NEWEST,),
    ),
    "reports-off": _Notice("Reports are switched off", "This app was set up without posture reports."),
}
_LATER = _Notice(
    "Not now",
    "One of those whom Tether has to ask does not answer. Nothing is lost: load this page again in a minute. When it "
    "stays so, whoever runs Tether finds the reason below in its health page (GET /api/health).",
)
_OTHER = _Notice("This cannot be shown", "Whoever runs Tether can look up the reason below.", (_TO_NEWEST,))


def notice_page(reason: str, reader: str, *, is_passing: bool = False) -> bytes:
    """The page for a reason; `reader` is the name that somebody signed in with, empty if nobody did.

    What `is_passing` goes away by itself.
    """
    notice = _NOTICES.get(reason, _LATER if is_passing else _OTHER)
    page = environment().get_template("notice.html.j2")
    return page.render(
        notice=notice, reason=reason, reader=reader, style=asset("report.css"), policy=page_policy()
    ).encode()
