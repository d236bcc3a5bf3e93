"""What Teams demands of an app package, as far as it can be told without Teams.

The published schema, version 1.19, for the properties that Tether uses, and what Teams checks besides:
https://developer.microsoft.com/json-schemas/teams/v1.19/MicrosoftTeams.schema.json
https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/apps-package
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.teams.icons import COLOR_SIZE, OUTLINE_SIZE, pixels_of, size_of

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
LONGEST = {
    "developer.name": 32,
    "developer.websiteUrl": 2048,
    "developer.privacyUrl": 2048,
    "developer.termsOfUseUrl": 2048,
    "name.short": 30,
    "name.full": 100,
    "description.short": 80,
    "description.full": 4000,
}
TOP_LEVEL = {
    "$schema",
    "manifestVersion",
    "version",
    "id",
    "developer",
    "name",
    "description",
    "icons",
    "accentColor",
    "bots",
    "permissions",
    "validDomains",
    "webApplicationInfo",
    "defaultInstallScope",
    "defaultGroupCapability",
}
SCOPES = {"team", "personal", "groupChat"}
BOT = {"botId", "scopes", "isNotificationOnly", "supportsFiles", "supportsCalling", "supportsVideo"}
_ALPHA = 3


def problems(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> list[str]:
    """Everything that Teams would refuse; nothing for a package that it takes."""
    return [*_of_the_whole(manifest), *_of_texts(manifest), *_of_the_bot(manifest), *_of_icons(manifest, files)]


def _of_the_whole(manifest: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(manifest.keys() - TOP_LEVEL):
        yield f"{name}: Tether does not use it, so nothing here checks it; take it out"
    if manifest.get("manifestVersion") != "1.19" or "/v1.19/" not in manifest.get("$schema", ""):
        yield "manifestVersion: write 1.19, as in $schema"
    if not SEMVER.fullmatch(str(manifest.get("version"))):
        yield "version: write three numbers such as 1.0.0"
    if not GUID.fullmatch(str(manifest.get("id"))):
        yield "id: write a GUID"
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", str(manifest.get("accentColor"))):
        yield "accentColor: write a colour such as #1F3A5F"
    if manifest.get("defaultInstallScope") not in SCOPES:
        yield f"defaultInstallScope: one of {', '.join(sorted(SCOPES))}"
    domains = manifest.get("validDomains") or []
    if not domains or not all(HOST.fullmatch(str(one)) for one in domains):
        yield "validDomains: write host names alone, without https:// and without wildcards"


def _of_texts(manifest: Mapping[str, Any]) -> Iterator[str]:
    for path, most in LONGEST.items():
        outer, inner = path.split(".")
        text = (manifest.get(outer) or {}).get(inner)
        if not isinstance(text, str) or not text.strip():
            yield f"{path}: is missing"
        elif len(text) > most:
            yield f"{path}: has {len(text)} characters, {most} are allowed"
        elif inner.endswith("Url") and not text.startswith("https://"):
            yield f"{path}: use https://"
    if "{{" in str(manifest):
        yield "a placeholder was not filled in"


def _of_the_bot(manifest: Mapping[str, Any]) -> Iterator[str]:
    bots = manifest.get("bots") or []
    if len(bots) != 1:
        yield "bots: exactly one"
        return
    bot = bots[0]
    if not GUID.fullmatch(str(bot.get("botId"))) or bot.keys() - BOT:
        yield "bots: write the bot's GUID, and nothing that Tether does not use"
    if set(bot.get("scopes") or ()) != SCOPES:
        yield "bots.scopes: cards go to teams, to people and to group chats, so name all three"
    if bot.get("supportsFiles") is not False or bot.get("isNotificationOnly") is not False:
        yield "bots: it takes no files, and it does take clicks"
    if bot.get("botId") == manifest.get("id"):
        yield "id: is the app's own, and not the bot's"
    sign_in = manifest.get("webApplicationInfo")
    if sign_in is not None and sign_in != {"id": bot.get("botId"), "resource": f"api://botid-{bot.get('botId')}"}:
        yield "webApplicationInfo: approvers sign in to the bot's own application, under api://botid-"


def _of_icons(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[str]:
    icons = manifest.get("icons") or {}
    for kind, size in (("color", COLOR_SIZE), ("outline", OUTLINE_SIZE)):
        content = files.get(str(icons.get(kind)))
        if content is None:
            yield f"icons.{kind}: the file is not in the package"
            continue
        try:
            if size_of(content) != (size, size):
                yield f"icons.{kind}: has to be {size} by {size}"
                continue
            pixels = pixels_of(content)
        except ValueError as error:
            yield f"icons.{kind}: {error}"
            continue
        if kind == "color" and any(pixel[_ALPHA] < 255 for pixel in pixels):
            yield "icons.color: has to have a background"
        if kind == "outline" and any(pixel[_ALPHA] and pixel[:_ALPHA] != (255, 255, 255) for pixel in pixels):
            yield "icons.outline: has to be white on nothing"
        if kind == "outline" and all(pixel[_ALPHA] for pixel in pixels):
            yield "icons.outline: has to be transparent where nothing is"
