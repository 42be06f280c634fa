"""Why an evaluation gives its number: errors by kind, joint and circumstance, in arrays.

Shapes: N predicted and G annotated people, P pairs of them, K joints, T thresholds of OKS, I images, B resamples.
"""
