"""Shared access: who gets what, where, until when and why, and the ledger of what each permission is there
for.
"""
