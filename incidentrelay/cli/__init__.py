"""The ``incidentrelay`` command for operators.

The law of this package: a command reads its arguments, calls one function and prints
the result. Results go to standard output, everything else to standard error.
The exit code is 0 for success, 1 for failure with one sentence, 2 for wrong usage.
Heavy imports happen inside the commands, so that ``--help`` is quick.
"""
