"""Pages about access: who can, effective access, compare, simulate, services, escalation and the policy
editor.
"""
