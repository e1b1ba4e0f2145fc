"""Drift: what AWS shows and no change of Gatehouse explains; found after each pull, adopted with a reason, or
undone.
"""
