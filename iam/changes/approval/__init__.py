"""Approval of requests: rules, stages, reminders and break-glass."""
