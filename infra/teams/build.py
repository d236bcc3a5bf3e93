r"""Builds the Teams app package that you upload, and checks it first.

  python -m infra.teams.build --bot-id BOT-APP-ID --host YOUR-APP.azurewebsites.net \
      --developer "Your company" --website https://example.com [--on-behalf-of] [--output tether-teams.zip]

BOT-APP-ID is the setting BOT_APP_ID. --on-behalf-of belongs to TEAMS_ON_BEHALF_OF=true: approvers then sign in to the
bot's application, which has to expose the scope access_as_user under api://botid-BOT-APP-ID. The same arguments give
the same package, to the byte; raise --app-version with every package that you upload after the first.
"""

import argparse
import json
import sys
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.teams.rules import GUID, problems

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "manifest.template.json"
ICONS = ("color.png", "outline.png")
# A zip remembers when; ours is about what.
_MOMENT = (2020, 1, 1, 0, 0, 0)


def manifest(values: Mapping[str, str], *, with_sign_in: bool) -> dict[str, Any]:
    """The template with these values in its places; what breaks JSON stays inside its text."""

    def filled(part: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(part, dict):
            return {name: filled(value) for name, value in part.items()}
        if isinstance(part, list):
            return [filled(value) for value in part]
        for name, value in values.items() if isinstance(part, str) else ():
            part = part.replace("{{" + name + "}}", value)
        return part

    document: dict[str, Any] = filled(json.loads(TEMPLATE.read_text(encoding="utf-8")))
    if not with_sign_in:
        del document["webApplicationInfo"]
    return document


def package(document: Mapping[str, Any], output: Path) -> None:
    """A zip of the manifest and both icons, at its top level, as Teams wants it."""
    files = {"manifest.json": (json.dumps(document, indent=2) + "\n").encode()}
    files |= {name: (FOLDER / name).read_bytes() for name in ICONS}
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), content, zipfile.ZIP_DEFLATED)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when the package was written, 2 when Teams would not take it."""
    asked = _parser().parse_args(arguments)
    bot_id = asked.bot_id.lower()
    values = {
        "bot_id": bot_id,
        # The app's own id: another than the bot's, and the same for every package of this bot.
        "app_id": (asked.app_id or str(uuid.uuid5(uuid.UUID(bot_id), "tether-teams-app"))).lower(),
        "host": asked.host.lower(),
        "version": asked.app_version,
        "developer": asked.developer,
        "website": asked.website,
        "privacy": asked.privacy or asked.website,
        "terms": asked.terms or asked.website,
    }
    document = manifest(values, with_sign_in=asked.on_behalf_of)
    wrong = problems(document, {name: (FOLDER / name).read_bytes() for name in ICONS})
    for sentence in wrong:
        print(f"not built: {sentence}", file=sys.stderr)
    if wrong:
        return 2
    package(document, asked.output)
    print(f"{asked.output}: Tether {asked.app_version} for bot {bot_id}; upload it as docs/teams-app.md says")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.teams.build", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bot-id", required=True, type=_guid, help="the bot's application (client) id")
    parser.add_argument("--host", required=True, help="host name of the function app, without https://")
    parser.add_argument("--developer", required=True, help="who people are told made this app; 32 characters")
    parser.add_argument("--website", required=True, help="https address with information for the people who use it")
    parser.add_argument("--privacy", help="https address of your privacy statement; without it: --website")
    parser.add_argument("--terms", help="https address of your terms of use; without it: --website")
    parser.add_argument("--app-id", type=_guid, help="the app's own id; without it: one that follows from --bot-id")
    parser.add_argument("--app-version", default="1.0.0", help="raise it with every upload after the first")
    parser.add_argument("--on-behalf-of", action="store_true", help="approvers sign in (TEAMS_ON_BEHALF_OF=true)")
    parser.add_argument("--output", type=Path, default=Path("tether-teams.zip"))
    return parser


def _guid(text: str) -> str:
    if not GUID.fullmatch(text):
        raise argparse.ArgumentTypeError("write a GUID such as 7e7e0000-0000-4000-8000-0000000000b0")
    return text


if __name__ == "__main__":
    sys.exit(main())
