"""Their JSON and our types: pure. camelCase and pydantic stop here."""
