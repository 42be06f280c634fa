"""How shapes become pixels: canvas, colours, solids."""
