"""MFA enforcement by policy: denies everything except MFA setup to sessions without MFA, and checks that
everyone can still set it up.
"""
