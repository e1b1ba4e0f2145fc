"""Permission templates: versioned job functions with parameters, such as "read one bucket", rendered to
policies.
"""
