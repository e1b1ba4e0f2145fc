"""Hundreds of people onboarded in one run through real workers: how fast that goes, and that nobody is lost
or made twice whatever breaks.
"""
