"""Calculates privilege escalation in a worker and stores the results in the database for pages."""
