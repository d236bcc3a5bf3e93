"""TeamsServer: a stand-in for the Bot Connector and for the Teams clients of the people behind it."""
