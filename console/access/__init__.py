"""The pages about access: who can, effective access, compare, simulate, services, escalation, the policy
editor.
"""
