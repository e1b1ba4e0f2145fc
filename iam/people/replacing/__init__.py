"""Replacing a lost MFA device: one person asks, a second one makes sure over another channel who it is, and
only then is there a link.
"""
