"""Headers of signed tokens: which key is said to have signed one, before anything of it counts."""

import jwt

ALGORITHM = "RS256"


def parse_key_id(token: str) -> str:
    """The id of the key that the header names, which proves nothing yet.

    Raises:
        ValueError: the header is malformed, wants another algorithm or an extension, or names no key.
    """
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError) as error:
        raise ValueError("the token is malformed") from error
    if header.get("alg") != ALGORITHM:
        raise ValueError(f"the algorithm is not {ALGORITHM}")
    if "crit" in header:
        raise ValueError("the token demands an extension")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise ValueError("the token names no key")
    return key_id
