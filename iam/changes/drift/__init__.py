"""Drift: differences in AWS that no change of Gatehouse explains. It is found after each sync, and accepted
or undone.
"""
