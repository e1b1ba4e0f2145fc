"""The only package that calls AWS: sessions, reads, writes and errors."""
