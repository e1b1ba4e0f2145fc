"""What people do with grants: plan, ask, reduce, extend, shorten, end, try again, withdraw."""
