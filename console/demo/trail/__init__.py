"""Ninety days of simulated CloudTrail events of the sample organization, the same every time.

`routine.py` writes the daily activity of people, robots and pipelines, and `stories.py` what an auditor
should find; tests/console/demo/planted_activity.json lists the stories.
"""
