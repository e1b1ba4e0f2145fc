"""Northline, the invented company whose AWS organisation the stand-in serves.

Northline sells tickets for ferries and regional trains around the North Sea and settles the card payments
of the operators. It has one AWS organisation: a management account, from which Gatehouse works as the hub,
and four member accounts: production (ticketing and payments, the cardholder data), data (warehouse and
models), staging and sandbox.
"""
