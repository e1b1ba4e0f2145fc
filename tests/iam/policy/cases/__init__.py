"""What AWS's documentation says comes of requests, as facts: each case names the page that it was written
from.
"""
