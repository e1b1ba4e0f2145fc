"""The list pages: people, groups, roles, policies, instance profiles, identity providers; and their
exports.
"""
