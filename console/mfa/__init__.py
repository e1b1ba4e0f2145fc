"""Pages of MFA enrolment: the one-time link, the enrolment by link or signed in, and sending a link to
somebody.
"""
