"""A report on an evaluation: one page that tells why it gives its number."""
