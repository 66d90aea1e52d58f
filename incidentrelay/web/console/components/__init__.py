"""Parts that several pages share: alert cards, timelines, silence cards, actions.

May import ``forms`` and below. Turns values into what templates print; runs no query.
"""
