"""The engine of runs: work on people that is drafted, requested, followed to its end and reconciled with the
changes it is made of.
"""
