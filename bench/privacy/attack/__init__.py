"""What an adversary gets out of the scene stream itself, not only out of its picture: `python -m bench.privacy --attack`.

- `crops`: every person-frame of a run as crops of one size: live, shown, the plate, and what of them is hidden
- `reidentify`: matching what is shown of people to live pictures of them
- `silhouettes`: telling walkers apart from their covers, against pixel masks
- `reconstruct`: the best linear guess at the live crop
- `attack`: the three over one sequence, as figures

The adversary is given what a real one would have to earn: where everybody is in every frame, who is who in the pictures they learn from,
and
a picture of the empty place.
"""
