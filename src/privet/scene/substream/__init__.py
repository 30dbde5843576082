"""What a camera's sub-stream shows of the blocks that the main stream has proven."""
