"""MFA by policy: what denies all but the way to a second factor to anyone who signed in without one, and
whether everybody gets out of it.
"""
