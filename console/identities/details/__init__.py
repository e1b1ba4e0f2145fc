"""Detail pages of persons, groups, roles, policies, instance profiles and providers, with history and
comparison.
"""
