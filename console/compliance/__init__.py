"""Pages of compliance frameworks such as PCI DSS."""
