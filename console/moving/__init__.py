"""The pages of moving: what somebody loses and gains by another blueprint, before it is asked for and while
it comes true.
"""
