"""A generated tenant of any size beside the cast, with findings and innocents planted in it, served as Graph would."""
