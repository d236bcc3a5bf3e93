"""The infrastructure, held against the code, the sandbox and Azure's own models, without Azure."""
