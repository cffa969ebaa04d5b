"""Work on very many images: on the cores of this machine, or on the machines of a Ray cluster.

cores.py      a function for many items, on all cores
processes.py  child processes, for small steps that threads would wait for
units.py      the one function that divides work into units of up to 1,000 images
kept.py       results of units, so that after an interruption the rest is done
local.py      the executor of this machine
cluster.py    the executor of a Ray cluster
choice.py     the executor that `--on` names
"""
