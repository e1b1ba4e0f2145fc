"""What pages and commands ask of the mirror; every query takes the viewer's scope and the moment."""
