"""Notifies people of events: an outbox in the database, email, Slack and a signed webhook."""
