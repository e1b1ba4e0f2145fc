"""The password of all sign-ins in the embedded default. It is printed at the start, and safe only for sample
data on loopback.
"""

PASSWORD = "harbour-lantern-42"  # noqa: S105 - see above
