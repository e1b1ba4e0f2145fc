"""Other engines, asked the same as ours in one run; none of them is a dependency."""
