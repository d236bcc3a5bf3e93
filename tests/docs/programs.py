"""The commands of Azure's two programs that pages use, with the options that each takes, from their references.

https://learn.microsoft.com/cli/azure/reference-index
https://learn.microsoft.com/azure/developer/azure-developer-cli/reference

Standard library only: the programs that stand in for `az` and `azd` start in no time.
"""

from collections.abc import Iterator, Mapping, Sequence

ANYWHERE = {"--output", "--query", "--subscription", "--only-show-errors"}
SWITCHES = {"--yes", "--wait", "--preview", "--force", "--all", "--no-prompt", "--only-show-errors"}
GROUP = {"--resource-group"}
NAMED = {"--resource-group", "--name"}
AZ: Mapping[str, set[str]] = {
    "account list": {"--all", "--refresh"},
    "account set": {"--name", "--subscription"},
    "ad app create": {
        *("--display-name", "--sign-in-audience", "--enable-id-token-issuance", "--enable-access-token-issuance"),
        *("--web-redirect-uris", "--identifier-uris", "--required-resource-accesses", "--app-roles"),
    },
    "ad app delete": {"--id"},
    "ad app federated-credential create": {"--id", "--parameters"},
    "ad app list": {"--all", "--app-id", "--display-name", "--filter", "--identifier-uri", "--show-mine"},
    "ad app update": {"--id", "--display-name", "--web-redirect-uris", "--identifier-uris", "--set"},
    "ad signed-in-user show": set(),
    "ad sp create": {"--id"},
    "cloud set": {"--name", "--profile"},
    "cloud show": {"--name"},
    "deployment group create": {
        *("--resource-group", "--name", "--template-file", "--parameters", "--mode", "--no-prompt", "--what-if"),
        *("--confirm-with-what-if", "--validation-level"),
    },
    "functionapp deployment source config-zip": {*NAMED, "--src", "--build-remote", "--slot", "--timeout"},
    "functionapp keys list": {*NAMED, "--slot"},
    "functionapp keys set": {*NAMED, "--key-name", "--key-type", "--key-value", "--slot"},
    "functionapp list-flexconsumption-locations": {"--runtime", "--show-details", "--zone-redundant"},
    "functionapp restart": {*NAMED, "--slot"},
    "group create": {"--name", "--resource-group", "--location", "--tags", "--managed-by"},
    "group delete": {"--name", "--resource-group", "--yes", "--no-wait"},
    "identity list": GROUP,
    "identity show": NAMED,
    "keyvault network-rule add": {*NAMED, "--ip-address", "--subnet", "--vnet-name"},
    "keyvault network-rule remove": {*NAMED, "--ip-address", "--subnet", "--vnet-name"},
    "keyvault recover": {*NAMED, "--location"},
    "keyvault secret set": {"--vault-name", "--name", "--value", "--file", "--expires", "--description"},
    "keyvault secret show": {"--vault-name", "--name", "--version", "--id"},
    "keyvault update": {*NAMED, "--public-network-access", "--default-action", "--bypass"},
    "login": {"--tenant", "--use-device-code", "--scope", "--allow-no-subscriptions"},
    "provider register": {"--namespace", "--wait"},
    "resource list": {*NAMED, "--resource-type", "--location", "--tag", "--namespace"},
    "resource show": {*NAMED, "--ids", "--resource-type", "--api-version", "--namespace", "--parent"},
    "rest": {"--method", "--url", "--uri", "--body", "--headers", "--resource", "--uri-parameters"},
    "role assignment create": {
        *("--role", "--scope", "--assignee", "--assignee-object-id", "--assignee-principal-type", "--description"),
    },
    "storage blob download-batch": {
        *("--account-name", "--source", "--destination", "--auth-mode", "--pattern", "--overwrite"),
    },
    "storage container immutability-policy lock": {
        *("--account-name", "--container-name", "--resource-group", "--if-match"),
    },
    "storage container immutability-policy show": {
        *("--account-name", "--container-name", "--resource-group", "--if-match"),
    },
}
REQUIRED: Mapping[str, set[str]] = {
    "ad app create": {"--display-name"},
    "ad app delete": {"--id"},
    "ad app federated-credential create": {"--id", "--parameters"},
    "ad app update": {"--id"},
    "ad sp create": {"--id"},
    "deployment group create": {"--resource-group"},
    "functionapp deployment source config-zip": {"--src"},
    "functionapp keys list": NAMED,
    "functionapp keys set": {*NAMED, "--key-name", "--key-type"},
    "group create": {"--name", "--location"},
    "group delete": {"--name"},
    "keyvault secret set": {"--vault-name", "--name"},
    "keyvault update": {"--name"},
    "provider register": {"--namespace"},
    "rest": {"--url"},
    "role assignment create": {"--role", "--scope"},
    "storage blob download-batch": {"--source", "--destination"},
    "storage container immutability-policy lock": {"--account-name", "--container-name", "--if-match"},
    "storage container immutability-policy show": {"--account-name", "--container-name"},
}
AZD: Mapping[str, set[str]] = {
    "auth login": {"--tenant-id", "--use-device-code", "--check-status"},
    "config set": set(),
    "deploy": {"--all", "--environment", "--from-package", "--no-prompt"},
    "env new": {"--location", "--subscription"},
    "env set": {"--environment"},
    "provision": {"--environment", "--preview", "--no-prompt"},
    "up": {"--environment", "--no-prompt"},
}
# How many words follow a command besides its options, at least and at most; none where it is not said.
WORDS: Mapping[str, tuple[int, int]] = {
    "azd config set": (2, 2),
    "azd deploy": (0, 1),
    "azd env new": (1, 1),
    "azd env set": (2, 2),
}
# Options after which any number of words may stand.
LISTS = {"--parameters", "--tags", "--web-redirect-uris", "--identifier-uris", "--ids", "--set"}


def command_of(program: str, words: Sequence[str]) -> str:
    """The longest command that the words start with; nothing where there is none."""
    known = AZ if program == "az" else AZD
    return next((name for length in range(5, 0, -1) if (name := " ".join(words[:length])) in known), "")


def options_of(words: Sequence[str]) -> dict[str, list[str]]:
    """The words after each option; after nothing, those that stand alone."""
    found: dict[str, list[str]] = {"": []}
    option = ""
    for word in words:
        if word.startswith("--"):
            option, _, value = word.partition("=")
            found[option] = [value] if value else []
        else:
            found[option].append(word)
            option = option if option in LISTS else ""
        option = "" if option in SWITCHES else option
    return found


def problems(program: str, words: Sequence[str]) -> Iterator[str]:
    """Everything for which Azure's program would refuse this."""
    command = command_of(program, words)
    if not command:
        yield f"{program} {' '.join(words[:3])}: no such command is known here; look it up, and add it with its options"
        return
    name = f"{program} {command}"
    given = options_of(words[len(command.split()) :])
    allowed = AZ[command] | ANYWHERE if program == "az" else AZD[command]
    yield from (f"{name}: has no option {one}" for one in given if one and one not in allowed)
    needed = REQUIRED.get(command, set()) if program == "az" else set()
    yield from (f"{name}: needs {one}" for one in sorted(needed - set(given)))
    valued = [one for one in given if one and one not in SWITCHES]
    yield from (f"{name}: {one} needs a value" for one in valued if not any(given[one]))
    least, most = WORDS.get(name, (0, 0))
    if not least <= len(given[""]) <= most:
        yield f"{name}: takes {least} to {most} words besides its options, and not {given['']}"
