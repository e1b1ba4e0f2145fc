"""The append-only, hash-chained record of what people and Gatehouse did."""
