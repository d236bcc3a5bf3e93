"""The stand-in's web page: channels, chats and cards as a person sees them, and a bare frame for one card."""

from sandbox.teams.page.routes import page_routes

__all__ = ["page_routes"]
