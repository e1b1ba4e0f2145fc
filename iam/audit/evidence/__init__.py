"""Builds evidence packs: signed files for auditors that can be verified without Gatehouse."""
