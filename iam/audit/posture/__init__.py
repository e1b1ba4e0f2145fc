"""The posture score: how much of what the rules check is in order, each day, for each account."""
