"""Gatehouse as it runs in production: real processes, PostgreSQL and Redis, attacked from outside."""
