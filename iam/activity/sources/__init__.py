"""Where CloudTrail's events are read from: buckets of trails, and CloudTrail's event history.

`services` keeps the sources, `run` reads one of them within bounds, and `coverage` says which time has been
read. A source that is read twice changes nothing.
"""
