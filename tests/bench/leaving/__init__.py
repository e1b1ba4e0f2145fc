"""People who leave: in a browser, and while everything breaks."""
