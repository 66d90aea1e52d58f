"""How fast IncidentRelay is, beside a floor that is measured in the same run.

    make bench          all cases on SQLite and PostgreSQL, several rounds
    make bench-quick    a second of each: whether the benchmark itself works

Absolute figures move by a fifth from run to run and machine to machine, so the ratio
to the floor counts. Everything runs as real processes on loopback.
"""
