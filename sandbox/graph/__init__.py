"""A stand-in for Microsoft Graph v1.0: directory, delta, subscriptions and change notifications on real HTTP."""

from sandbox.graph.app import create_app

__all__ = ["create_app"]
