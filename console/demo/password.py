"""The password of every sign-in of the embedded default: printed at the start, good for an invented
organisation on loopback.
"""

PASSWORD = "harbour-lantern-42"  # noqa: S105 - see above
