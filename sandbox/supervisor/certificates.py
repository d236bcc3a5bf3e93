"""A certificate authority of the sandbox's own: Entra's client libraries speak to nothing but https."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme

from sandbox.tenant import HOST


@dataclass(frozen=True, slots=True)
class Certificates:
    """The sign-in server's certificate and key, and the authorities that those who speak to it trust."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """The chain, as PEM."""
        return self.folder / "login.pem"

    @property
    def key(self) -> Path:
        """The private key, as PEM."""
        return self.folder / "login-key.pem"

    @property
    def authorities(self) -> Path:
        """What `SSL_CERT_FILE` has to name."""
        return self.folder / "ca.pem"

    def context(self) -> ssl.SSLContext:
        """What a client needs to speak to the sign-in server."""
        return ssl.create_default_context(cafile=self.authorities)


def issue_certificates(folder: Path, environment: Mapping[str, str]) -> Certificates:
    """New ones in this folder; the authorities are everybody's (or those of `SSL_CERT_FILE`), and the sandbox's own."""
    issued = Certificates(folder)
    authority = trustme.CA()
    server = authority.issue_cert(HOST, "localhost")
    issued.key.touch(mode=0o600)
    server.private_key_pem.write_to_path(issued.key)
    issued.certificate.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    known = Path(environment.get("SSL_CERT_FILE", certifi.where()))
    issued.authorities.write_bytes(known.read_bytes() + b"\n" + authority.cert_pem.bytes())
    return issued
