"""The sources of CloudTrail events: buckets of trails, and CloudTrail's event history.

`services` manages the sources, `run` reads one of them within limits, and `coverage` tells which periods were
read. Reading a source twice changes nothing.
"""
