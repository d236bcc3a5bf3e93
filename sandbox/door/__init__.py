"""The sandbox's front door: one page that shows Entra, the gateway, and how fast one follows the other."""
