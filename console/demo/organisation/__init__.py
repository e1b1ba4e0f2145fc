"""Northline, the fictional company whose AWS organization the simulated AWS serves.

Northline sells tickets for ferries and regional trains around the North Sea and settles the card payments of
the operators. It has one AWS organization: a management account, from which Gatehouse works as the hub, and
four member accounts: production (ticketing and payments, the cardholder data), data (warehouse and models),
staging and sandbox.
"""
