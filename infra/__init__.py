"""What the person who deploys Tether runs: permissions, the Teams app package and the gateway's side."""
