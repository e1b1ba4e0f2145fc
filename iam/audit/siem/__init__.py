"""Sends the journal to a SIEM: JSON lines over HTTPS, and syslog."""
