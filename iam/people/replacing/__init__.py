"""Replaces a lost MFA device: one person requests it, a second one verifies the owner's identity over another
channel, and only then a link is sent.
"""
