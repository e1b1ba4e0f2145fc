"""Operators: sign-in to Gatehouse, sessions, second factors, and pages of people, roles and teams."""
