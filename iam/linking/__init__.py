"""Whose an IAM user is and how that is known, and all users of a person: said by hand, by a tag, by an
address as user name, by a rule for names.
"""
