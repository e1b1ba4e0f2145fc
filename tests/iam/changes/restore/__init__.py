"""Holds after a restored backup."""
