"""Who can use which AWS service."""
