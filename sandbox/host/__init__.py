"""A local Functions host: it loads the app as Azure does and serves its HTTP, timer and Service Bus triggers."""
