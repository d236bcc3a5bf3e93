"""Policy: what a browser may do with a report: nothing but its own style and its own search."""

import base64
import hashlib


def content_security_policy(style: str, script: str) -> str:
    """The Content-Security-Policy that lets in exactly this style and this script."""
    allowed = f"style-src {_source(style)}; script-src {_source(script)}"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
