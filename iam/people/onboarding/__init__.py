"""Onboarding: people from a form or a file, checked, asked for together, and followed until each has signed
in.
"""
