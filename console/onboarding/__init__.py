"""Pages of onboarding: blueprints of teams, runs, and each person's progress."""
