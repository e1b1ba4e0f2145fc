"""Notifications in the browser: the outbox, one's own choices, and the links of messages."""
