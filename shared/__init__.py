"""What Tether does, decides and needs, apart from what wakes it."""
