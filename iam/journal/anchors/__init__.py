"""Signed notes of where the chain of the journal ends, kept outside of the database."""
