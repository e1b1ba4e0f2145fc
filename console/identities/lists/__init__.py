"""List pages and exports: people, groups, roles, policies, instance profiles and identity providers."""
