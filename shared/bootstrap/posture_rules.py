"""Posture rules: what the operator decided about reports, as `POSTURE_RULES_FILE` says it."""

from pathlib import Path

from shared.domain.posture.estate_facts import Tenant
from shared.domain.posture.rules import PostureRules
from shared.errors import SettingsError
from shared.settings import Settings
from shared.wire.posture_rules import parse_posture_rules


def read_posture_rules(settings: Settings) -> PostureRules:
    """The operator's rules, or the defaults where there is no file. Raises `SettingsError` when it is wrong."""
    if settings.posture_rules_file is None:
        return PostureRules()
    path = Path(settings.posture_rules_file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"POSTURE_RULES_FILE: {path} cannot be read; create it, or correct the path") from error
    return parse_posture_rules(text, path.name)


def tenant_of(settings: Settings, rules: PostureRules) -> Tenant:
    """The tenant as far as its operator describes it."""
    return Tenant(
        settings.tenant_id,
        rules.tenant_name,
        private_zones=rules.facts.private_zones,
        expected_changes=rules.facts.expected_changes,
        rotation_actors=rules.facts.rotation_actors,
    )
