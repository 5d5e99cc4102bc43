"""The operations: for each its formula, forward and backward in one class, a file for each family.

One number at a time: `arithmetic`, `exponentials`, `trigonometry`, `rounding`, `selection`, `special`, `activations`,
`complex_numbers`, `copying`. Many to fewer: `reductions`. The same numbers in other places: `shapes`, `strided`,
`indexing`, `scattering`, `padding`, `folding`. Matrices: `products`, `linear_algebra`, `decompositions`, `distance`.
Of networks: `softmax`, `cross_entropy`, `losses`, `ctc`, `normalization`, `attention`, `convolution`, `pooling`,
`interpolation`, `embedding`, `dropout`. `fft` is its own. `broadcast` sums gradients of what was repeated, and
`number_types` computes all of these for float16, bfloat16 and complex numbers.

The loops that are compiled are in `kernels/`, in files of the same names.
"""
