"""Search over everything that a viewer can see: entities, actions, services, requests, grants, pages and
commands.
"""
