"""Privilege escalation: who can become administrator, or somebody else, in how many steps, and what would
close the way.
"""
