"""Compliance frameworks such as PCI DSS: requirements as data, judged by findings, facts and people."""
