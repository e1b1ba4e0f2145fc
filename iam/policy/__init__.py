"""What policy documents mean, as pure functions: no Django, no AWS call, no clock of its own."""
