"""A database that was restored from a backup: nothing that it still wants to do to AWS goes on before a
person has decided.
"""
