"""Where Huey keeps its messages, as far as its own storages do not suffice."""
