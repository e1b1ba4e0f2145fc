"""Team changes: a person gets the access in the new team's blueprint in place of that in the
former team's.
"""
