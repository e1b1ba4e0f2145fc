"""The life of a person in AWS: onboarding, MFA enrolment, team changes, offboarding."""
