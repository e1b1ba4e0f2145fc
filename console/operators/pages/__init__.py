"""The pages of operators, teams and the own profile."""
