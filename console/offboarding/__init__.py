"""Pages of offboarding: the person, what ends in which account, the progress, and the certificate."""
