"""Routes of the page at `/` and of the card frame at `/card-frame`, with everything that they load.

The card frame renders one card, as Teams would, for tests that look at cards. In a browser with the frame open:

    await page.goto(base + "/card-frame")             # `?theme=dark` for the dark host config
    await page.wait_for_selector("body[data-ready]")
    result = await page.evaluate("card => window.renderCard(card)", card)
    result["events"]    # what AdaptiveCards reported: {phase, event, message}; [] for a clean card
    result["text"]      # what a person reads
    await page.evaluate("window.events")              # the same, and what came since: clicks refused, CSP, errors
    await page.evaluate("window.actions")             # buttons: {type, title, verb, data, inputs}; links: {type, url}

`phase` is `parse`, `validate`, `render`, `teams` (a version that Teams does not show), `input` (a required input kept a
button from acting), `log` or `page`; `event` names it as AdaptiveCards' `ValidationEvent` does: `UnknownElementType`.
Each call starts over. Only mentions that `msteams.entities` declares become mentions; images and HTML stay text.
"""

import asyncio
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox import tenant

HERE = Path(__file__).parent
STATIC = HERE / "static"
NODE_MODULES = Path(__file__).parents[2] / "node_modules"
LIBRARIES = {
    "adaptivecards.min.js": NODE_MODULES / "adaptivecards" / "dist" / "adaptivecards.min.js",
    "markdown-it.min.js": NODE_MODULES / "markdown-it" / "dist" / "markdown-it.min.js",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page_routes() -> list[Route]:
    """The page, the card frame and their files, each below `/page/` and from no other origin."""
    documents = {"/": HERE / "index.html", "/card-frame": HERE / "card_frame.html"}
    files = {f"/page/{file.name}": file for file in (*STATIC.iterdir(), *HERE.glob("*.json"))}
    libraries = {f"/page/{name}": file for name, file in LIBRARIES.items()}
    shown = [Route(path, partial(_show, file=file)) for path, file in (documents | files | libraries).items()]
    return [*shown, Route("/page/places.json", _places)]


async def _places(_: Request) -> Response:
    return JSONResponse({"door": tenant.url("door")}, headers=HEADERS)


async def _show(_: Request, *, file: Path) -> Response:
    if not await asyncio.to_thread(file.is_file):
        return PlainTextResponse(f"{file.name} is not installed: run `make run`.\n", 404, HEADERS)
    return FileResponse(file, headers=HEADERS)
