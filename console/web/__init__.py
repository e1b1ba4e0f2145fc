"""Code shared by all pages: request helpers, keyset pagination, template tags and middleware."""
