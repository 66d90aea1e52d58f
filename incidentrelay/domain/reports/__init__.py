"""Figures about the past, computed from shifts and pages.

May import ``oncall``. Days, nights and holidays are local to a zone; totals are elapsed time.
"""
