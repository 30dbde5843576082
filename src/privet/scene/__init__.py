"""Sees live frames: block statistics, cover, light, promote(). Puts out nothing but cover, light and promoted blocks.

In order: `analyst` is the port, `epoch` is what is known, `main_stream` (or `substream.step`) is one frame's steps: `cover.changes`, `fit`,
`proof.step`, `cover.step`, `rest`, `light`. `observation` is what comes out, `demand` what is asked for next.

Belongs here: free functions on arrays (kernels, each with a plain reference beside it), the state of one camera's scene, and the
rules of promotion. Does not belong here: where frames come from, what detectors are, how anything is encoded, stored or sent.
"""
