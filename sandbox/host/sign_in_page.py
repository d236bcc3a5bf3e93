"""The page that stands in for Entra's: it asks who signs in, and for no password."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape

from sandbox.host.people import Person

MOST_SHOWN = 2000
_STYLE = """
:root{color-scheme:light dark;--bg:#f4f5f7;--card:#fff;--ink:#191d23;--muted:#5a6472;--line:#dde1e7;--accent:#2a5bd7}
@media(prefers-color-scheme:dark){:root{--bg:#0f1216;--card:#181c22;--ink:#e8ebf0;--muted:#9aa5b4;--line:#2b313a;
--accent:#8cb0ff}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:20px;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,"Segoe UI",sans-serif}
main{width:100%;max-width:440px;padding:28px;border:1px solid var(--line);border-radius:14px;background:var(--card)}
h1{margin:0 0 4px;font-size:22px}p{margin:0 0 16px;color:var(--muted)}.wrong{color:var(--ink);font-weight:600}
ul{list-style:none;margin:0;padding:0;display:grid;gap:8px}
button{width:100%;padding:10px 14px;border:1px solid var(--line);border-radius:10px;background:none;color:inherit;
font:inherit;text-align:left;cursor:pointer;overflow-wrap:anywhere}
button:hover:enabled,button:focus-visible{border-color:var(--accent);outline:none}
button:disabled{opacity:.55;cursor:default}small{display:block;color:var(--muted)}a{color:var(--accent)}
"""
POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def sign_in_page(people: Sequence[Person], then: str, wrong: str = "") -> str:
    """Everybody who may be chosen; `then` is the path to go on to, `wrong` why a sign-in has failed."""
    said = f'<p class="wrong">{escape(wrong)}</p>' if wrong else ""
    rows = "".join(_row(one, then) for one in people[:MOST_SHOWN])
    more = f"<p>and {len(people) - MOST_SHOWN} more</p>" if len(people) > MOST_SHOWN else ""
    asked = "<p>This sandbox stands in for Entra: nobody has a password.</p>"
    return _page("Who signs in?", f"{said}{asked}<ul>{rows}</ul>{more}")


def notice_page(heading: str, sentence: str) -> str:
    """A page that says one thing."""
    return _page(heading, f"<p>{escape(sentence)}</p>")


def _row(person: Person, then: str) -> str:
    is_off = "" if person.is_enabled else " disabled"
    state = "" if person.is_enabled else " · disabled in Entra"
    return (
        '<li><form method="post" action="/.auth/login/aad/callback">'
        f'<input type="hidden" name="person" value="{escape(person.object_id)}">'
        f'<input type="hidden" name="post_login_redirect_uri" value="{escape(then)}">'
        f"<button{is_off}><bdi>{escape(person.name)}</bdi>"
        f"<small><bdi>{escape(person.address)}</bdi>{state}</small></button></form></li>"
    )


def _page(heading: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{heading}</h1>{body}</main></body></html>"
    )
