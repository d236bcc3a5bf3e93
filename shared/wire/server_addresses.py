"""Addresses of servers as settings write them."""

from ipaddress import ip_address
from urllib.parse import urlsplit

DNS_PORT = 53


def parse_server_addresses(text: str, port: int = DNS_PORT) -> tuple[tuple[str, int], ...]:
    """Address and port of each server in `10.0.0.4, 10.0.0.5:5353, [fd00::1]:53`. Raises `ValueError`."""
    return tuple(_server(one.strip(), port) for one in text.split(",") if one.strip())


def _server(text: str, port: int) -> tuple[str, int]:
    is_bare = text.count(":") > 1 and not text.startswith("[")
    try:
        parts = urlsplit(f"//[{text}]" if is_bare else f"//{text}")
        return str(ip_address(parts.hostname or "")), parts.port or port
    except ValueError as error:
        raise ValueError("write IP addresses, with a port where it is not 53: 10.0.0.4, 10.0.0.5:5353") from error
