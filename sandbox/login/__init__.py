"""Entra's sign-in as the sandbox has it: OpenID metadata, signing keys and the token endpoint, over TLS."""
