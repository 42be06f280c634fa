"""A look inside: what a trained model has learned, as arrays and as figures; what ``tools/visualization`` runs."""
