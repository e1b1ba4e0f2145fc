"""Notifications in the console: the outbox, personal preferences, and links in messages."""
