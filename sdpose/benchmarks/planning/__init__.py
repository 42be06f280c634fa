"""What a training takes on given cards: step, memory, loader and the whole schedule."""
