"""One-time links: each lets one person in, once, in one browser, for half an hour, for one task of one IAM
user, without a Gatehouse password.
"""
