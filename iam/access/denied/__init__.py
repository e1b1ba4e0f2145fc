"""What AWS said when it refused a call, read and answered: what is missing or denies, and the smallest grant
that helps.
"""
