"""The embedded default: an AWS stand-in and the sample organisation it serves."""
