"""Plants of the chapter on federation, D1 to D5: whose tokens are trusted too easily."""

from sandbox.graph.posture.garden import Garden
from sandbox.graph.posture.plants.permissions import GRAPH, ROLE_MANAGEMENT
from sandbox.tenant import TENANT_ID

GITHUB = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.com"
ENTERPRISE = "https://github.contoso.example/_services/token"
ENTRA = f"https://login.microsoftonline.com/{TENANT_ID}/v2.0"
IMMUTABLE = "repo:contoso@4711/orders@815"
WORKFLOW = "contoso/deploy/.github/workflows/deploy.yml@refs/heads/main"


def plant(garden: Garden) -> None:
    """Broad, mutable, dangling, open to pull requests, too many."""
    _broad(garden)
    _mutable(garden)
    _dangling(garden)
    _pull_requests(garden)
    _many(garden)


def _broad(garden: Garden) -> None:
    pinned = f"claims['job_workflow_ref'] eq '{WORKFLOW}'"
    shapes = {
        "every repository": f"claims['sub'] matches 'repo:contoso@4711/*' and {pinned}",
        "every branch, any workflow": f"claims['sub'] matches '{IMMUTABLE}:ref:refs/heads/*'",
        "every ref, any workflow": f"claims['sub'] matches '{IMMUTABLE}:*'",
    }
    for shape, expression in shapes.items():
        made = garden.app(f"federated {shape}")
        name = garden.federate(made, "github", GITHUB, expression=expression)
        garden.guilty("D1", made, shape, name)
    narrow = garden.app("federated narrow")
    garden.federate(
        narrow, "github", GITHUB, expression=f"claims['sub'] eq '{IMMUTABLE}:environment:production' and {pinned}"
    )
    garden.innocent(("D1", "D2", "D3", "D4"), narrow, "one repository, one environment, one workflow")
    branches = garden.app("federated branches")
    expression = f"claims['sub'] matches '{IMMUTABLE}:ref:refs/heads/*' and {pinned}"
    garden.federate(branches, "github", GITHUB, expression=expression)
    garden.innocent("D1", branches, "many branches are meant: one workflow is pinned")
    plain = garden.app("federated plain")
    garden.federate(plain, "github", GITHUB, f"{IMMUTABLE}:environment:production")
    garden.innocent(("D1", "D2", "D3", "D4", "D5"), plain, "an exact, immutable subject")


def _mutable(garden: Garden) -> None:
    by_name = garden.app("federated by name")
    name = garden.federate(by_name, "github", GITHUB, "repo:contoso/orders:environment:production")
    garden.guilty("D2", by_name, "GitHub names", name)
    by_path = garden.app("federated by path")
    name = garden.federate(by_path, "gitlab", GITLAB, "project_path:contoso/orders:ref_type:branch:ref:main")
    garden.guilty("D2", by_path, "GitLab path", name)
    garden.guilty("D3", by_path, "an issuer that is not on the list", name)
    privileged = garden.app("federated by name, privileged", owners=())
    name = garden.federate(privileged, "github", GITHUB, "repo:contoso/platform:ref:refs/heads/main")
    garden.grant_role(privileged, GRAPH, ROLE_MANAGEMENT)
    garden.guilty("D2", privileged, "GitHub names, tier-0", name)
    garden.guilty("E1", privileged, "tier-0 permission, federated")
    own = garden.app("federated enterprise server")
    name = garden.federate(own, "enterprise", ENTERPRISE, "repo:contoso/orders:environment:production")
    garden.innocent("D2", own, "GitHub Enterprise Server has no immutable subjects")
    garden.guilty("D3", own, "an issuer that is not on the list", name)


def _dangling(garden: Garden) -> None:
    evil = garden.app("federated lookalike")
    name = garden.federate(evil, "lookalike", f"{GITHUB}.attacker.example", f"{IMMUTABLE}:environment:production")
    garden.guilty("D3", evil, "an issuer that only looks like GitHub", name)
    unknown = garden.app("federated unknown issuer")
    name = garden.federate(unknown, "unknown", "https://issuer.attacker.example", "system:serviceaccount:a:b")
    garden.guilty("D3", unknown, "unknown issuer", name)
    dangling = garden.app("federated with nobody")
    name = garden.federate(dangling, "identity", ENTRA, garden.id("a managed identity that was deleted"))
    garden.guilty("D3", dangling, "the managed identity is gone", name)
    identity = garden.managed_identity("identity federated")
    living = garden.app("federated with identity")
    garden.federate(living, "identity", ENTRA, identity.object_id)
    garden.innocent(("D1", "D2", "D3"), living, "the managed identity exists")


def _pull_requests(garden: Garden) -> None:
    shapes = {
        "immutable": (GITHUB, f"{IMMUTABLE}:pull_request"),
        "by name": (GITHUB, "repo:contoso/orders:pull_request"),
        "in another organisation": (GITHUB, "repo:fabrikam@99/tools@12:pull_request"),
    }
    for shape, (issuer, subject) in shapes.items():
        made = garden.app(f"federated pull request {shape}")
        name = garden.federate(made, "github", issuer, subject)
        garden.guilty("D4", made, shape, name)
        if "@" not in subject:
            garden.guilty("D2", made, "GitHub names", name)
    branch = garden.app("federated branch called pull_request")
    garden.federate(branch, "github", GITHUB, f"{IMMUTABLE}:ref:refs/heads/pull_request")
    garden.innocent(("D2", "D4"), branch, "a branch of that name")
    staged = garden.app("federated environment called pull_request")
    garden.federate(staged, "github", GITHUB, f"{IMMUTABLE}:environment:pull_request_checks")
    garden.innocent(("D2", "D4"), staged, "an environment, not the event")


def _many(garden: Garden) -> None:
    for count in (18, 19, 20, 17):
        made = garden.app(f"federated {count} times")
        for number in range(count):
            garden.federate(made, f"stage-{number:02d}", GITHUB, f"{IMMUTABLE}:environment:stage-{number:02d}")
        if count > 17:
            garden.guilty("D5", made, f"{count} of 20")
        else:
            garden.innocent("D5", made, "17 of 20")
