"""The MFA devices of all users: who has which, who lacks one, where hardware is required, and the root users
of all accounts.
"""
