"""Requests to add, change or remove a source of CloudTrail's events: a source decides which events are
believed, so that a second person approves it.
"""
