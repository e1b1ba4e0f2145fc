"""The pages about escalation."""
