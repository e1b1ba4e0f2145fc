"""The pages of access keys and their rotation."""
