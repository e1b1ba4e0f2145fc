"""Moving: somebody changes teams, and gets what the blueprint of the new one says in the place of what that
of the old one said.
"""
