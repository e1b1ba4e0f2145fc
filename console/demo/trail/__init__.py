"""Ninety days of simulated CloudTrail events of the sample organization, the same every time.

`routine.py` has the daily activity of people, robots and pipelines; `stories.py` has the events that an
auditor should find, which tests/console/demo/planted_activity.json lists.
"""
