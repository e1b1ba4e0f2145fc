"""Examine how an account is reached: try every permission, harmlessly, and name what is missing."""
