"""Signed HTTP requests to any address."""
