"""One-time links: they let one person in, once, in one browser, for half an hour, to one matter of one IAM
user; no password of Gatehouse.
"""
