"""The ``incidentrelay`` command for operators.

The law of this package: a command reads its arguments, calls one thing and prints
what came out. Results go to standard output, everything else to standard error.
The exit code is 0 for success, 1 for failure with one sentence, 2 for wrong usage.
Heavy imports happen inside the commands, so that ``--help`` is quick.
"""
