"""The pages of access reviews."""
