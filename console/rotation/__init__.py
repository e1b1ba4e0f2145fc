"""Pages of access keys: all keys, the viewer's own, and those of root users; rotations; and the secret, shown
once.
"""
