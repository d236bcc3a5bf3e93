"""Managed identity as App Service offers it: a loopback endpoint that hands out access tokens."""
