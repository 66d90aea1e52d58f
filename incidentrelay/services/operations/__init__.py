"""Runs the installation: retention, metrics, health, system banners, demo data.

May import every other services package; none imports this one.
"""
