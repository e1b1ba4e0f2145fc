"""The rotation of access keys over days: create, use, deactivate, delete; with what AWS says of each key's
last use looked at before anything is taken away.
"""
