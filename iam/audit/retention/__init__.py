"""Removes old entries of the journal by a setting: exported first, and recorded under a signature."""
