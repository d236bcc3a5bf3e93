"""`azd up`: azure.yaml and main.parameters.json fit the infrastructure, and what is run is the same everywhere."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.infra.bicep import INFRA, Expression
from tests.infra.code import ROOT
from tests.infra.infrastructure import MAIN, current

VARIABLE = re.compile(r"\$\{(\w+)(?:=([^}]*))?\}")
# What azd itself knows of every environment.
AZDS_OWN = {"AZURE_LOCATION", "AZURE_PRINCIPAL_ID"}
# Parameters that azd leaves at their defaults: they follow from the resource group and the tenant.
FOLLOWING = {"uniqueName", "tags", "tenantId"}


@pytest.fixture(scope="module")
def azd() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def parameters() -> dict[str, str]:
    content = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))
    return {name: given["value"] for name, given in content["parameters"].items()}


def test_service_is_the_one_that_the_infrastructure_tags(azd: dict[str, Any]) -> None:
    tagged = current().texts["modules/app.bicep"]

    service = azd["services"]["tether"]

    assert list(azd["services"]) == ["tether"]
    assert "'azd-service-name': 'tether'" in tagged
    assert (service["host"], service["language"], service["project"]) == ("function", "python", ".")
    assert (INFRA / f"{azd['infra']['module']}.bicep").is_file()


def test_every_parameter_can_be_set_by_a_variable_or_follows_from_where_it_is_deployed(
    parameters: dict[str, str],
) -> None:
    declared = set(current().files[MAIN].of_kind("param"))

    assert set(parameters) == declared - FOLLOWING
    assert all(VARIABLE.fullmatch(value) for value in parameters.values())


def test_every_default_of_a_variable_is_the_default_of_its_parameter(parameters: dict[str, str]) -> None:
    declared = current().files[MAIN].of_kind("param")
    defaults = {name: matched[2] for name, value in parameters.items() if (matched := VARIABLE.fullmatch(value))}

    differing = {
        name: default
        for name, default in defaults.items()
        if default is not None and default != json.dumps(declared[name].value).strip('"')
    }

    assert differing == {}
    assert {name for name, default in defaults.items() if default is None} == {
        name for name, one in declared.items() if one.value is None and name not in FOLLOWING
    } | {"location", "secretsOfficerId"}
    assert isinstance(declared["location"].value, Expression)


def test_no_output_becomes_a_variable_that_a_parameter_is_read_from(parameters: dict[str, str]) -> None:
    read = [matched[1] for value in parameters.values() if (matched := VARIABLE.fullmatch(value))]

    outputs = set(current().files[MAIN].of_kind("output"))

    assert len(read) == len(set(read))
    assert outputs & (set(read) | AZDS_OWN) == set()


def test_package_is_built_alike_on_every_system(azd: dict[str, Any]) -> None:
    hook = azd["services"]["tether"]["hooks"]["prepackage"]

    posix = [line for line in hook["posix"]["run"].splitlines() if line.startswith("python3.13 ")]
    windows = [line for line in hook["windows"]["run"].splitlines() if line.startswith("py -3.13 ")]

    assert len(posix) == 2
    assert [line.removeprefix("python3.13 ") for line in posix] == [line.removeprefix("py -3.13 ") for line in windows]
    assert azd["services"]["tether"]["remoteBuild"] is False


def test_package_is_built_for_the_python_that_runs_in_azure(azd: dict[str, Any]) -> None:
    app = current().deployed("Microsoft.Web/sites")[0]

    version = app["properties"]["functionAppConfig"]["runtime"]["version"]

    assert f"--python-version {version} " in azd["services"]["tether"]["hooks"]["prepackage"]["posix"]["run"]
