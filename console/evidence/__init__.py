"""The pages of evidence packs."""
