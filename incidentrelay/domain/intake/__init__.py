"""What the signals of one request do to the alerts of one route.

``signals`` is what every integration returns; ``reducer`` applies a batch of them to
the stored state and returns one outcome per item. Identity never crosses a route.
"""
