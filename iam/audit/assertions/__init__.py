"""Assertions: "only these principals can do this on these resources", checked at each sync."""
