"""Azure Key Vault, stood in for: names, versions, tags and dates of secrets over TLS, and never a value."""
