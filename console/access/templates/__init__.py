"""Pages of templates: list, detail with versions, editor, differences and rollout of new versions to
grants.
"""
