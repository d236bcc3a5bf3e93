"""What is planted: for each check of the catalogue guilty objects, and an innocent one for each of its traps."""
