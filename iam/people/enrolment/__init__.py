"""Self-service enrollment of a virtual MFA device: a seed shown in one browser, two codes, and a device that
AWS shows as the user's.
"""
