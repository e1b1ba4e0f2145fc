"""Blueprints: what somebody who joins a team gets, in versions that never change."""
