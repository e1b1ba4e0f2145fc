"""The queries of pages and commands on the mirror. Each takes the viewer's scope and the time."""
