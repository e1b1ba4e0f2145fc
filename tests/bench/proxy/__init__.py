"""A proxy of ours before the AWS stand-in: latency, throttling, failures before and after the fact, and a log
of what took effect.
"""
