"""The only code that opens a connection. Vendor exceptions stop here."""
