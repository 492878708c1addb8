"""Image and video processing: Pillow's resampling, whole batches, arrays or tensors out."""
