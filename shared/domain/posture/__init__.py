"""Posture: what nobody uses, owns or rotates, judged from an inventory that says what it does not know."""
