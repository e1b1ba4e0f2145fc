"""Who did what in AWS: CloudTrail events, joined to the principals of the mirror.

`trail_files` opens a trail file, `records` and `callers` read its events (all three pure), `ingest` stores
them, and `queries` answers pages and commands. An event is stored once, however often it is delivered.
"""
