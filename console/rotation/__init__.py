"""The pages of access keys: all of them, one's own, those of root users; rotations, one live; beginning one
or many; the secret, once.
"""
