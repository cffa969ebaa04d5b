"""Why a detector finds nothing, or nothing good: a ladder of measurements.

diagnose.py   reads detector and data, and climbs the ladder
registry.py   the rungs, in their order
rungs/        one small function per rung
reading.py    what a rung answers: a measured value, its limit, and why that is the limit
case.py       what the rungs measure with: images, detections, the run
agreement.py  how well boxes agree with labels, whatever their classes
moves.py      simple changes of boxes: swapped axes, shifts, other corners
variants.py   simple changes of the network's input: channels, ranges, rotations
pixel_fit.py  how well pixels explain labels, without any detector
"""
