"""The pages of frameworks such as PCI DSS."""
