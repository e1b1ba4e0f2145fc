"""Privilege escalation: who can become an administrator or another principal, in how many steps, and which
changes would prevent it.
"""
