"""Hard cases made from real footage: `python -m bench.privacy --scenarios`.

- `cut`: people cut out of the footage, and the place without them
- `stage`: who is where, light, weather and the camera's own doings -> an encoded sequence with truth and plate
- `cases`: the registry, `SCENARIOS`
- `judge`: a scenario through the product, with its ablations, its usefulness and a contact sheet
"""
