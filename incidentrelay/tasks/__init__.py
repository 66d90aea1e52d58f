"""When work is done: the queue, the jobs, and the worker process.

A job reads its table and processes the due rows, so running it twice or not at all does no
harm: Huey only makes it prompt, and a sweep every minute guarantees it. Jobs are rows of
:data:`incidentrelay.tasks.jobs.JOBS` and call services; no rule lives here.
"""
