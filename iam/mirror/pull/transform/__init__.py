"""Converts what iam.aws reads to what the loader compares, without the database."""
