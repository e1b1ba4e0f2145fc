"""Holds all changes after the database was restored from a backup, until a person decides what happens to
them.
"""
