"""Every write to AWS as a Change: planned, approved, applied, observed, reversible."""
