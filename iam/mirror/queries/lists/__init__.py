"""The lists of the console: one module a kind says which rows, in which orders, under which tabs and
filters.
"""
