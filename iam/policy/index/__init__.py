"""The policies of an organisation made ready for questions about everybody: who can, what everybody can, what
changes.
"""
