"""The reads from AWS: in bulk if possible, and one entity at a time if AWS has no other call."""
