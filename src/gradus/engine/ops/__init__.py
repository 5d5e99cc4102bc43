"""The operations: forward, backward and formula of each in one place.

`elementwise` one number at a time; `reduce` many numbers to one; `shape` the same numbers otherwise arranged; `index`
some of the numbers; `matmul` products; `network` what neural networks fuse (softmax, cross entropy, layer norm,
attention ...).
"""
