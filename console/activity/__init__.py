"""The pages of activity in AWS: of one user or role, of accounts, and one event."""
