"""The pages of onboarding: blueprints of teams, runs of people, and how each of them stands."""
