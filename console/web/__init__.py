"""What all pages share: request plumbing, keyset pages, template tags, middleware."""
