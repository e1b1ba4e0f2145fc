"""Answers who can do what, and why, from the index over the mirror and within what the viewer may see."""
