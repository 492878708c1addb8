"""What passes between a program and its sandbox: frames of JSON, and tensors in shared memory."""
