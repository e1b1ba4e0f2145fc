"""Enrolment of a virtual MFA device by its own person: a seed that one browser sees, two codes, and a device
that AWS shows as theirs.
"""
