"""The pages of one thing: a person, a group, a role, a policy, an instance profile, a provider; their
history; two moments compared.
"""
