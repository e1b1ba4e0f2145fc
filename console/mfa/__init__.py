"""Pages of MFA: one-time links, enrollment by link or signed in, campaigns and enforcement."""
