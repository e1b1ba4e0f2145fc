"""The pages of templates: all of them, one with its versions, writing, differences, and giving grants a new
version.
"""
