"""What a browser, a shell or an HTTP client sees of Gatehouse; no domain rule lives here."""
