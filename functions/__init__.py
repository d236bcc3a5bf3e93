"""Triggers: decode, hand over to one handler, answer. No decisions."""
