"""Pages of evidence packs."""
