"""The mirror of IAM: accounts, entities in time, pulls and the queries over them."""
