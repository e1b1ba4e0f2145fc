"""Access reviews: who decides on whose access, what was decided, and the result."""
