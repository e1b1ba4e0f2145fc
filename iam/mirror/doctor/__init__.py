"""Checks the connection to an account: it tests each permission without side effects and reports what is
missing.
"""
