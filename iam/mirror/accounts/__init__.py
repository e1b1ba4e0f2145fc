"""Connect, change, discover, import and disconnect accounts."""
