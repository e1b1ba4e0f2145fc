"""The embedded default: a simulated AWS, and the sample organization it serves."""
