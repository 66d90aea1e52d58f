"""How bytes leave the process: HTTP and SMTP.

The law of this package: it knows no vendor, no alert and no setting. Every
destination that a user of the product can choose is checked against
:mod:`incidentrelay.transport.addresses` at the moment of connecting, every call
has one deadline for the whole of it, and no error text holds a credential: of a
URL only scheme, host and port are ever named.
"""
