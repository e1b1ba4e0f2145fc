"""Pages of operators, teams and the profile."""
