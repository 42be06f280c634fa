"""Files: complete or absent, locked, and read without trusting them."""
