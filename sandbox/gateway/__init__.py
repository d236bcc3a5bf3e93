"""GatewayServer: a stand-in for the access gateway's REST API that reproduces its traps."""
