"""How private Privet is, measured: `python -m bench.privacy --help`.

- `sequence`: footage with ground truth and a person-free plate, encoded the way cameras do
- `watch`: the product over a sequence, and what a viewer of its scene stream sees at every frame
- `measure`: what of people that shows: the figures of one sequence
- `ablate`: rules of promotion switched off, through `Rules`, which no setting reaches
- `scenarios`: hard cases made from real footage
- `attack`: what an adversary gets out of the scene stream itself
- `peers`: the same figures for others' programs
"""
