"""COCO's key point evaluation on arrays: predictions, scores, suppression, matching, and the numbers.

Every step computes what MMPose 1.3.2's ``CocoMetric`` and xtcocotools 1.14 compute for one person or image at a time,
in the same types and order of operations, so that equal values stay equal and ties are broken alike.
"""
