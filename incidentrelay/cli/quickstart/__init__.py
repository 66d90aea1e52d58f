"""``quickstart``: everything in one folder, with a server and a worker as children.

Starts processes and waits for them; every decision about the product is a service's.
"""
