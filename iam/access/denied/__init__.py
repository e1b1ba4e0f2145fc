"""Parses AWS's access denied messages and answers them: what is missing or denies, and the smallest grant
that helps.
"""
