"""The roof: what the command-line tools run. Only they, and the package's own face, import it."""
