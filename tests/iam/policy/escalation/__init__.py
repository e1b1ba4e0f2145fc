"""Escalation: organisations written by hand, with what is known to lead where."""
