"""Computes the posture score: how much of what the rules check is in order, per day and account."""
