"""Many changes through real workers: how fast they go, and that none is lost or carried out twice whatever
breaks meanwhile.
"""
