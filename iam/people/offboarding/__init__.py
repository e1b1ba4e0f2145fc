"""Leaving: the access of somebody who goes ends in every account, is proved to have ended, can be restored
for a while, and is deleted then.
"""
