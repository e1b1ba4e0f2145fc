"""Audit requests that need a decision by another person: their kinds, deciders and notifications."""
