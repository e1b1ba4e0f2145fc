"""Grants that are being written: what has been filled in of the steps, kept on the server under a link of its
owner.
"""
