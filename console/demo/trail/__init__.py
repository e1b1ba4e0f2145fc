"""Ninety days of CloudTrail for the sample organization: made up, plausible, and the same every time.

`routine.py` writes what people, robots and pipelines do every day, `stories.py` what an auditor should find;
tests/console/demo/planted_activity.json lists the stories.
"""
