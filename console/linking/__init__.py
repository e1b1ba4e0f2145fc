"""Pages that link IAM users to people: a person's users, proposals to review, and match rules."""
