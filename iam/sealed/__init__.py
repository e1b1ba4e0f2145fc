"""One-time secrets: encrypted, short-lived, for one person, read once; nothing else in Gatehouse keeps a
secret of AWS.
"""
