"""Of this package; the service it was made for has the same."""

VERSION = "0.1.0"
