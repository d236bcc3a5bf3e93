"""The Teams app package: its manifest, its icons, and how they become a zip."""
