"""Access reviews: who decides about whose access, what was decided, and what came of it."""
