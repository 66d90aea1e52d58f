"""HTTP and SMTP: how bytes leave the process.

The package does not depend on vendors, alerts or settings. Every destination that a user
can choose is checked against :mod:`incidentrelay.transport.addresses` when the connection
is made. Every call has one deadline. No error text holds a credential: of a URL it names
only scheme, host and port.
"""
