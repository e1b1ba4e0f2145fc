"""Findings: problems in accounts, computed by rules from the mirror and kept with their history."""
