"""Findings: what is wrong in an account, computed by rules from the mirror and kept with its history."""
