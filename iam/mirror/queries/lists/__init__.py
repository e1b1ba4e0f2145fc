"""The lists of the console. A module per kind defines the rows, sorts, tabs and filters."""
