"""Tells people what happened: an outbox in the database, e-mail, Slack and a signed webhook."""
