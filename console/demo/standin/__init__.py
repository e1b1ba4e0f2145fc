"""The simulated AWS: moto over HTTP with an overlay, serving the accounts of the sample organization."""
