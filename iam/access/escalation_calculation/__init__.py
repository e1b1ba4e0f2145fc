"""Privilege escalation as a worker calculates it and keeps it in the database, from where pages read it."""
