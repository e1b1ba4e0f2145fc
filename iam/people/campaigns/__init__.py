"""Campaigns for MFA: whom, until when, invitations and reminders, exceptions, and what is asked for at the
end.
"""
