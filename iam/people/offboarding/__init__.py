"""Offboarding: a person's access ends in every account, is verified to have ended, can be restored for a
while, and is then deleted.
"""
