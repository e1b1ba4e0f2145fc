"""Requests to add, change or remove CloudTrail sources. They need a second person, because a source decides
which events are trusted.
"""
