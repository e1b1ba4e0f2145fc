"""Gives the grants of a template a newer version of it: what that comes to, asked for and approved as one
set.
"""
