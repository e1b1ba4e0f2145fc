"""The mirror of IAM: accounts, entities with their history, pulls, and the queries on them."""
