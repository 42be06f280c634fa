"""The drawn people: skeleton, pose, body, clothes, and what is annotated of them."""
