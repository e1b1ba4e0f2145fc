"""The rotation of access keys, against the stand-in."""
