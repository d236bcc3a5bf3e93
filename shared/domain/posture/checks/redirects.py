"""Redirects: where an application lets codes and tokens be sent. Anybody may have written them."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from shared.domain.posture.inventory import App, once

PRIVATE_SUFFIXES = (".local", ".localhost", ".internal", ".intranet", ".corp", ".lan", ".home", ".private", ".test")


@once
def redirects(app: App) -> tuple[str, ...]:
    """Every web and single-page redirect, in an order that does not depend on the reading."""
    one = app.application
    return tuple(sorted({*one.web_redirects, *one.spa_redirects})) if one is not None else ()


def host_of(uri: str) -> str:
    """The host in lower case; nothing for what is not a web address."""
    try:
        parts = urlsplit(uri)
        is_web = parts.scheme.lower() in ("http", "https")
        return (parts.hostname or "").rstrip(".").lower() if is_web else ""
    except ValueError:
        return ""


def named_hosts(uris: Iterable[str]) -> frozenset[str]:
    """The hosts that a name server has to know; a wildcard names none."""
    hosts = (host_of(uri) for uri in uris if "*" not in uri)
    return frozenset(host for host in hosts if host not in ("", "localhost") and not is_address(host))


def is_loopback(uri: str) -> bool:
    """Whether it never leaves the machine."""
    host = host_of(uri)
    return host == "localhost" or (is_address(host) and ip_address(host).is_loopback)


def is_address(host: str) -> bool:
    """Whether it is an IP address, which needs no name server."""
    if ":" not in host and not host.replace(".", "").isdecimal():
        return False
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_open_http(uri: str) -> bool:
    """Whether it travels unencrypted to somewhere else; an http address that cannot be read does."""
    return uri.strip().lower().startswith("http://") and not is_loopback(uri.strip())


def is_private(host: str, zones: frozenset[str]) -> bool:
    """Whether only an inner name server knows it, so that nothing follows from not finding it outside."""
    inner = (*PRIVATE_SUFFIXES, *(f".{zone.strip('.').lower()}" for zone in zones))
    return "." not in host or f".{host}".endswith(inner)
