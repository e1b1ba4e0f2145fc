"""Updates grants to a newer version of their template, requested and approved as one set."""
