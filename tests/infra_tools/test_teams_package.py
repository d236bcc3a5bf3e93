"""The Teams app package: what is built is what Teams takes, and each rule is broken once."""

import json
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from infra.teams import icons
from infra.teams.build import ICONS, main, manifest
from infra.teams.rules import LONGEST, problems
from shared.wire.sign_in import EntraApp

FOLDER = Path(icons.__file__).parent
BOT = "7e7e0000-0000-4000-8000-0000000000b0"
VALUES = {
    "bot_id": BOT,
    "app_id": "7e7e0000-0000-4000-8000-0000000000b1",
    "host": "tether.azurewebsites.net",
    "version": "1.0.0",
    "developer": "Contoso",
    "website": "https://contoso.example",
    "privacy": "https://contoso.example/privacy",
    "terms": "https://contoso.example/terms",
}
FILES = {name: (FOLDER / name).read_bytes() for name in ICONS}
Json = dict[str, Any]


def build(output: Path, *more: str) -> int:
    own = ["--bot-id", BOT.upper(), "--host", "tether.azurewebsites.net", "--developer", "Contoso"]
    return main([*own, "--website", "https://contoso.example", "--output", str(output), *more])


def content(output: Path) -> Json:
    with zipfile.ZipFile(output) as archive:
        found: Json = json.loads(archive.read("manifest.json"))
    return found


def test_package_holds_the_manifest_and_both_icons_and_nothing_else(tmp_path: Path) -> None:
    assert build(tmp_path / "t.zip") == 0

    with zipfile.ZipFile(tmp_path / "t.zip") as archive:
        assert archive.namelist() == ["manifest.json", "color.png", "outline.png"]
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in ICONS} == FILES


def test_same_arguments_give_the_same_package(tmp_path: Path) -> None:
    build(tmp_path / "one.zip")
    build(tmp_path / "two.zip")

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_bot_speaks_to_teams_people_and_group_chats_and_takes_no_files(tmp_path: Path) -> None:
    build(tmp_path / "t.zip")

    found = content(tmp_path / "t.zip")
    (bot,) = found["bots"]
    assert (bot["botId"], bot["scopes"], bot["supportsFiles"]) == (BOT, ["team", "personal", "groupChat"], False)
    assert found["id"] != BOT
    assert (found["validDomains"], found["defaultInstallScope"]) == (["tether.azurewebsites.net"], "team")


def test_sign_in_is_in_the_package_only_where_approvers_sign_in(tmp_path: Path) -> None:
    build(tmp_path / "without.zip")
    build(tmp_path / "with.zip", "--on-behalf-of")

    named = content(tmp_path / "with.zip")["webApplicationInfo"]
    assert "webApplicationInfo" not in content(tmp_path / "without.zip")
    assert (named["id"], named["resource"]) == EntraApp("tenant", BOT).audiences


def test_text_that_would_break_json_stays_text() -> None:
    found = manifest(VALUES | {"developer": 'A "quoted" \\ name'}, with_sign_in=True)

    assert json.loads(json.dumps(found))["developer"]["name"] == 'A "quoted" \\ name'


def test_package_that_teams_would_refuse_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = build(tmp_path / "t.zip", "--developer", "x" * 33, "--app-version", "1.0")

    said = capsys.readouterr().err
    assert (code, (tmp_path / "t.zip").exists()) == (2, False)
    assert "developer.name: has 33 characters, 32 are allowed" in said
    assert "version: write three numbers" in said


def changed(change: Callable[[Json], object]) -> list[str]:
    document = deepcopy(manifest(VALUES, with_sign_in=True))
    change(document)
    return problems(document, FILES)


def test_template_breaks_no_rule() -> None:
    assert changed(lambda _: None) == []


@pytest.mark.parametrize("path", LONGEST)
def test_text_is_held_to_its_length(path: str) -> None:
    outer, inner = path.split(".")
    beginning = "https://" if inner.endswith("Url") else ""

    fits = changed(lambda m: m[outer].update({inner: beginning.ljust(LONGEST[path], "x")}))
    too_long = changed(lambda m: m[outer].update({inner: beginning.ljust(LONGEST[path] + 1, "x")}))
    missing = changed(lambda m: m[outer].pop(inner))

    assert fits == []
    assert [sentence.split(":")[0] for sentence in (*too_long, *missing)] == [path, path]


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ("manifestVersion", lambda m: m.update(manifestVersion="1.17")),
        ("version", lambda m: m.update(version="01.0.0")),
        ("id", lambda m: m.update(id="tether")),
        ("id", lambda m: m.update(id=BOT)),
        ("accentColor", lambda m: m.update(accentColor="navy")),
        ("defaultInstallScope", lambda m: m.update(defaultInstallScope="channel")),
        ("validDomains", lambda m: m.update(validDomains=["https://tether.example"])),
        ("validDomains", lambda m: m.update(validDomains=["*.azurewebsites.net"])),
        ("staticTabs", lambda m: m.update(staticTabs=[])),
        ("developer.websiteUrl", lambda m: m["developer"].update(websiteUrl="http://contoso.example")),
        ("a placeholder was not filled in", lambda m: m["name"].update(short="{{name}}")),
        ("bots", lambda m: m.update(bots=[])),
        ("bots", lambda m: m["bots"][0].update(commandLists=[])),
        ("bots.scopes", lambda m: m["bots"][0].update(scopes=["team", "personal", "groupchat"])),
        ("bots", lambda m: m["bots"][0].update(supportsFiles=True)),
        ("bots", lambda m: m["bots"][0].update(isNotificationOnly=True)),
        ("webApplicationInfo", lambda m: m["webApplicationInfo"].update(resource="api://contoso")),
        ("icons.color", lambda m: m["icons"].update(color="outline.png")),
        ("icons.outline", lambda m: m["icons"].update(outline="there-is-none.png")),
    ],
)
def test_each_rule_names_what_breaks_it(said: str, change: Callable[[Json], object]) -> None:
    (found,) = {sentence.split(":")[0] for sentence in changed(change)}

    assert found == said


def test_icons_are_the_ones_that_are_drawn() -> None:
    drawn = {"color.png": icons.color_icon(), "outline.png": icons.outline_icon()}

    assert {name: icons.pixels_of(png) for name, png in drawn.items()} == {
        name: icons.pixels_of(png) for name, png in FILES.items()
    }


def test_icons_have_the_sizes_and_the_transparency_that_teams_wants() -> None:
    color, outline = (icons.pixels_of(FILES[name]) for name in ICONS)

    assert [icons.size_of(FILES[name]) for name in ICONS] == [(192, 192), (32, 32)]
    assert {pixel[3] for pixel in color} == {255}
    assert {pixel[:3] for pixel in outline if pixel[3]} == {(255, 255, 255)}
    assert {0, 255} <= {pixel[3] for pixel in outline}


def test_icon_with_a_colour_or_without_transparency_is_refused() -> None:
    document = manifest(VALUES, with_sign_in=False)
    solid = icons._png(32, lambda _x, _y: (255, 255, 255, 255))
    green = icons._png(32, lambda x, _y: (0, 255, 0, 255 if x > 0.5 else 0))
    hollow = icons._png(192, lambda x, _y: (0, 0, 0, 255 if x > 0.5 else 0))

    found = [problems(document, FILES | changed) for changed in ({"outline.png": solid}, {"outline.png": green})]

    assert found == [
        ["icons.outline: has to be transparent where nothing is"],
        ["icons.outline: has to be white on nothing"],
    ]
    assert problems(document, FILES | {"color.png": hollow}) == ["icons.color: has to have a background"]
    assert problems(document, FILES | {"color.png": b"GIF89a"}) == ["icons.color: not a PNG"]
