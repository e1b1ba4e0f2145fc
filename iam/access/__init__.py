"""Who can do what, and why: questions to the index over the mirror, within what the asking person may see."""
