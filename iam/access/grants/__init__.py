"""Access grants: who gets what access, where, until when and why, with a ledger of the reasons for each
permission.
"""
