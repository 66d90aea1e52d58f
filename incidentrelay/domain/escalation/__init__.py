"""What an alert's plan does next, and when.

``engine.decide(plan, progress, now)`` is total: it returns the next progress, the
effects to carry out, and the instant to look again. Acknowledging, resolving and
snoozing stop a plan. Conditions and personal notification rules are evaluated here too.
"""
