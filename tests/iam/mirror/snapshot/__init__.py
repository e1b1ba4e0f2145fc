"""Tests of the index as the mirror's rows make it."""
