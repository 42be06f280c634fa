"""What runs a trained model: a faster module, exported files, and their runtime without torch."""
