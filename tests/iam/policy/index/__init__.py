"""Tests of the index over an organisation."""
