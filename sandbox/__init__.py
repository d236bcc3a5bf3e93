"""A tenant in a box: stand-in servers on real protocols, a local Functions host and one web page."""
