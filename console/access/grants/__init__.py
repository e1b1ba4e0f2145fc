"""The pages of shared access: the wizard, the grants, what oneself may do, and asking for more."""
