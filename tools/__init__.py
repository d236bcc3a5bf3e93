"""Commands for people: they read what Tether wrote, and need neither the app nor a network."""
