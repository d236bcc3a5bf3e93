"""What things are and what is allowed: pure, standard library only."""
