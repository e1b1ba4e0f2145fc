"""Computes the posture score: the share of the checks without findings, per day and account."""
