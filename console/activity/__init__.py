"""Pages of AWS activity: of a user or role, of accounts, and of a single event."""
