"""What the pages of all runs have in common."""
