"""The pages of whose users are: all users of a person, what waits for a word, the ways by which users are
known.
"""
