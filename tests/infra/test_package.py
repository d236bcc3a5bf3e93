"""The package that runs in Azure: the app with byte code that is used, and nothing else of ours."""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pathspec import GitIgnoreSpec

from tests.infra.code import ROOT

APP = ("function_app.py", "functions", "shared", "host.json", "requirements.txt", ".funcignore", "azure.yaml")
# What lies about in a checkout and must not go along; each with a file that would be harmful or heavy.
LYING_ABOUT = (
    "local.settings.json",
    "local.settings.example.json",
    ".azure/production/.env",
    ".git/config",
    ".venv/bin/python",
    ".venv-3.13/bin/python",
    "tether_env/pyvenv.cfg",
    ".sandbox/keys.pem",
    ".mypy_cache/cache.json",
    ".coverage",
    ".ci/run",
    "sandbox/tokens.py",
    "tests/conftest.py",
    "tools/check_pages.py",
    "docs/deploy.md",
    "infra/main.bicep",
    "bench-results/bench.json",
    "evidence/principals/somebody.jsonl",
    "tether.zip",
    "README.md",
    "Makefile",
    "pyproject.toml",
    "requirements-dev.txt",
)
DEPENDENCY = ".python_packages/lib/site-packages"
NEEDED = (
    "identity-map.yaml",
    "approval-routes.yaml",
    f"{DEPENDENCY}/azure/core/__init__.py",
    f"{DEPENDENCY}/some/tests/__init__.py",
    f"{DEPENDENCY}/some/tools/__init__.py",
    f"{DEPENDENCY}/some/docs/__init__.py",
    f"{DEPENDENCY}/some/infra/__init__.py",
    f"{DEPENDENCY}/some/sandbox/__init__.py",
)
USED = """
import sys
import shared.errors
print(shared.errors.__cached__)
print(shared.errors.TetherError.__doc__)
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip that a deployment makes of a checkout in which somebody has worked."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name in APP:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, checkout / name)
    for name in (*LYING_ABOUT, *NEEDED):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("", encoding="utf-8")
    subprocess.run(_compilation(), cwd=checkout, check=True, timeout=100)
    return _zipped(checkout, tmp_path_factory.mktemp("package") / "tether.zip")


@pytest.fixture(scope="module")
def files(package: Path) -> set[str]:
    with zipfile.ZipFile(package) as archive:
        return set(archive.namelist())


def test_package_holds_the_app_and_what_it_depends_on(files: set[str]) -> None:
    assert {"function_app.py", "host.json", "requirements.txt", "functions/graph.py", *NEEDED} <= files


def test_package_leaves_out_secrets_tests_and_everything_else(files: set[str]) -> None:
    roots = {name.partition("/")[0] for name in files} - {"__pycache__"}

    assert files & set(LYING_ABOUT) == set()
    assert roots - {".funcignore"} == {
        *("function_app.py", "functions", "shared", "host.json", "requirements.txt", ".python_packages"),
        *("identity-map.yaml", "approval-routes.yaml"),
    }


def test_every_module_in_the_package_has_byte_code_that_trusts_itself(package: Path, files: set[str]) -> None:
    modules = [name for name in files if name.endswith(".py")]
    compiled = {name: importlib.util.cache_from_source(name) for name in modules}

    with zipfile.ZipFile(package) as archive:
        flags = {name: archive.read(compiled[name])[4:8] for name in modules if compiled[name] in files}

    unchecked = (0b01).to_bytes(4, "little")
    assert len(modules) > 100
    assert [name for name in modules if name not in flags] == []
    assert [name for name, flag in flags.items() if flag != unchecked] == []


def test_byte_code_is_used_whatever_time_the_deployment_gives_the_sources(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path)
    source = tmp_path / "shared" / "errors.py"
    source.write_text(source.read_text().replace("An error of ours", "Not the error that was compiled"))
    os.utime(source, (1, 1))

    ran = subprocess.run(
        [sys.executable, "-c", USED], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )

    assert "__pycache__" in ran.stdout
    assert "An error of ours" in ran.stdout


def _compilation() -> list[str]:
    """The command that azure.yaml compiles with, run by this Python."""
    hook = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))["services"]["tether"]["hooks"][
        "prepackage"
    ]
    command = next(line for line in hook["posix"]["run"].splitlines() if "compileall" in line)
    return [sys.executable, *shlex.split(command)[1:]]


def _zipped(checkout: Path, package: Path) -> Path:
    with zipfile.ZipFile(package, "w") as archive:
        for path in _kept(checkout):
            archive.write(path, path.relative_to(checkout).as_posix())
    return package


def _kept(checkout: Path) -> Iterator[Path]:
    left_out = GitIgnoreSpec.from_lines((checkout / ".funcignore").read_text(encoding="utf-8").splitlines())
    for path in checkout.rglob("*"):
        if path.is_file() and not left_out.match_file(path.relative_to(checkout).as_posix()):
            yield path
