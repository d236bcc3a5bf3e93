"""The name system beside the Graph stand-in: UDP on the same port, and what a host is called says what is answered."""

import asyncio
from collections import Counter
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

GONE, MUTE, BROKEN = "gone-", "mute-", "broken-"
INNER_ZONE = "corp.internal"
SECONDS_TO_LIVE = 60
ADDRESS = "192.0.2.80"


class NameServer(asyncio.DatagramProtocol):
    """Knows every host, except in the inner zone and those called gone; is silent about mute ones, fails for broken.

    `asked` counts the questions by host.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question; what is none stays unanswered."""
        try:
            question = dns.message.from_wire(data)
            host = question.question[0].name.to_text(omit_final_dot=True).lower()
        except (dns.exception.DNSException, IndexError):
            return
        self.asked[host] += 1
        if self._transport is not None and not host.startswith(MUTE):
            self._transport.sendto(_answer(question, host).to_wire(), addr)


def _answer(question: dns.message.Message, host: str) -> dns.message.Message:
    answer = dns.message.make_response(question)
    answer.flags |= dns.flags.RA
    if host.startswith(BROKEN):
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif host.startswith(GONE) or f".{host}".endswith(f".{INNER_ZONE}"):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    else:
        name = question.question[0].name
        answer.answer.append(dns.rrset.from_text(name, SECONDS_TO_LIVE, "IN", "A", ADDRESS))
    return answer
