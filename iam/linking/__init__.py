"""Matches IAM users with people: links made by hand, tags, email addresses as user names, and name rules."""
