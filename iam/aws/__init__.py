"""The only package that speaks to AWS: sessions, reads, writes, and the errors they end in."""
