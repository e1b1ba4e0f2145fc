"""Requests to add, change or remove CloudTrail sources. They need a second person, because a source
determines which events are trusted.
"""
