"""Requests about the audit that wait for the decision of another person: what there is, who decides, and who
is told.
"""
