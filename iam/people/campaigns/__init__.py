"""MFA campaigns: participants, due date, invitations and reminders, exemptions, and the action at the end."""
