"""The domain name system: who has claimed which host."""

import asyncio
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from shared.domain.posture.estate_facts import HostAnswers

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

AT_ONCE = 50
SECONDS_EACH, SECONDS_IN_ALL = 2.0, 60.0


class DnsNameServers:
    """See `NameServers`. Asks these servers (address and port), or else those of this machine.

    One question for each host: a name that does not exist has no address of any kind, and the answer to an alias says
    whether its target exists.
    """

    def __init__(self, servers: Sequence[tuple[str, int]] = (), seconds_in_all: float = SECONDS_IN_ALL) -> None:
        self._servers = servers
        self._seconds_in_all = seconds_in_all

    async def answers(self, hosts: Collection[str]) -> HostAnswers:
        """See `NameServers.answers`. What is open when the time is over is unanswered."""
        if not hosts:
            return HostAnswers()
        resolver, waiting, exists = self._resolver(), iter(sorted(hosts)), dict[str, bool]()

        async def ask_one_after_the_other() -> None:
            for host in waiting:
                answer = await _exists(resolver, host)
                if answer is not None:
                    exists[host] = answer

        try:
            async with asyncio.timeout(self._seconds_in_all), asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(hosts))):
                    group.create_task(ask_one_after_the_other())
        except TimeoutError:
            pass
        unresolved = frozenset(host for host, answer in exists.items() if not answer)
        return HostAnswers(unresolved, frozenset(hosts) - exists.keys())

    def _resolver(self) -> "Resolver":
        from dns.asyncresolver import Resolver  # noqa: PLC0415 - only scans need it, and it takes a while
        from dns.nameserver import Do53Nameserver  # noqa: PLC0415 - as above

        resolver = Resolver(configure=not self._servers)
        if self._servers:
            resolver.nameservers = [Do53Nameserver(address, port) for address, port in self._servers]
        resolver.lifetime = SECONDS_EACH
        return resolver


async def _exists(resolver: "Resolver", host: str) -> bool | None:
    """Whether anybody has claimed the host; `None` when nobody said, or when it can be no name at all."""
    from dns.exception import DNSException  # noqa: PLC0415 - as above
    from dns.resolver import NXDOMAIN  # noqa: PLC0415 - as above

    try:
        await resolver.resolve(f"{host}.", raise_on_no_answer=False)
    except NXDOMAIN:
        return False
    except (DNSException, OSError, UnicodeError):
        return None
    return True
