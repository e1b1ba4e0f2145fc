"""Who must agree to what, and that nobody gets around it."""
