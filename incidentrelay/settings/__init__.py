"""The settings of the installation: declared once, validated at startup.

``declaration`` has the fields, ``parsers`` turn texts into values, and ``loading`` reads
the ini file and the environment. Nothing here imports another part of the package.

Keys are written in the ini file below ``incidentrelay.``. The environment overrides each
as ``INCIDENTRELAY_<KEY>`` (dots become underscores). Each secret can come from a file:
``<key>_file`` in the ini file, or ``INCIDENTRELAY_<KEY>_FILE``.
"""
