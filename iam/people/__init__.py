"""The life cycle of a person in AWS: onboarding, MFA enrollment, team changes and offboarding."""
