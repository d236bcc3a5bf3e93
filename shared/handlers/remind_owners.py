"""Remind owners: whoever is silent is reminded once, then the security team is asked instead."""

from shared.handlers.answer_attestation import AttestationPorts, AttestationRules


async def remind_owners(ports: AttestationPorts, rules: AttestationRules) -> int:
    """How many attestations something was done about. Meant for an hourly tick; twice is as good as once."""
    raise NotImplementedError
