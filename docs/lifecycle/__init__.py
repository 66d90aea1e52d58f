"""Draws the life of an alert for the documentation, from the tables that the product runs on."""
