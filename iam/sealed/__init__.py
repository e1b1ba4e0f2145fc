"""One-time secrets: encrypted, short-lived, for one person, shown once. No other part of Gatehouse stores
secrets of AWS.
"""
