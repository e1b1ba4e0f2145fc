"""Pages of shared access: the wizard, the grants, a person's own access, and requests for more."""
