"""Onboarding: people from a form or a file are checked, requested together, and followed until each has
signed in.
"""
