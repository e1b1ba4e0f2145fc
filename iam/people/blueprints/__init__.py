"""Blueprints: what people who join a team get, in versions that never change."""
