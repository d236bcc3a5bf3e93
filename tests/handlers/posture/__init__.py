"""Posture: scans from their first page to what they found."""
