"""The search over everything that a viewer may see: entities, actions, services, requests, grants, pages and
things to do.
"""
