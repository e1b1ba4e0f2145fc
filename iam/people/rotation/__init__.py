"""The rotation of access keys over days: create, use, deactivate, delete. AWS's last-used data of each key is
checked before a key is removed.
"""
