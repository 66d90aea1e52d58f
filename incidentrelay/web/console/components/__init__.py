"""Parts that several pages show: alert cards, timelines, silence cards, actions.

May import ``forms`` and below. Turns values into what templates print; runs no query.
"""
