"""Who did what in AWS: CloudTrail events, matched with the principals of the mirror.

`trail_files` parses a trail file, `records` and `callers` parse its events (all without side effects),
`ingest` stores them, and `queries` serves pages and commands. An event is stored once, however often it is
delivered.
"""
