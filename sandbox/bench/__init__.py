"""The bench: what the app promises in numbers, measured on a running sandbox."""
