"""Forms of the pages about access; each reads the query string, so that the address can be shared."""
