"""An AWS stand-in: moto over HTTP with an overlay, serving the accounts of the sample organisation."""
