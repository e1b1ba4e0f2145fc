"""Read an AWS account into the mirror: get → transform → load → sweep, a fast lane in bulk and a detail lane
per entity.
"""
