"""One camera inside a worker, a file for each step of a frame's way: `frame_demand` asks for it, `pipeline` receives it, `take` looks at it
unless `load_shedding` says otherwise, `scene_sender` and `scene_encoder` say what was seen, to the worker's `send_queue`. `sub_stream`:
the second stream beside it. `health`: how the camera is. `state_saving`: what outlives the pipeline. `decoding_log`: how it is decoded."""
