"""People who sign in to Gatehouse."""
