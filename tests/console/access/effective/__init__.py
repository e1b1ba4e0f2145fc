"""What one user or role can do, its pages, and why."""
