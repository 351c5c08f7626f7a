"""What the integration tests are made of: a throw-away PKI, the daemon under
test, backends and clients that behave well or badly on purpose."""
