"""Rows of leaving, for tests of its pages."""
