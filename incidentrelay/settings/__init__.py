"""The settings of the installation: declared once, validated at startup.

``declaration`` has the fields, ``parsers`` turn text into values, and ``loading`` reads
the ini file and the environment. Nothing here imports another part of the package.

In the ini file, keys start with ``incidentrelay.``. ``INCIDENTRELAY_<KEY>`` in the
environment (dots become underscores) overrides a key. Secrets can come from a file:
``<key>_file`` in the ini file, or ``INCIDENTRELAY_<KEY>_FILE``.
"""
