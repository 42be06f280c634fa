"""What stands around the drawn people: levels of difficulty, backgrounds, props, effects."""
