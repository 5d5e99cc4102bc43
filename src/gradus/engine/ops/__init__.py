"""The operations: for each its formula, forward and backward in one class, a file for each family.

* One number at a time: `arithmetic`, `exponentials`, `trigonometry`, `rounding`, `selection`, `special`, `activations`,
  `complex_numbers`, `copying`; `unary` has bases for them.
* Many to fewer: `reductions`.
* The same numbers in other places: `shapes`, `strided`, `indexing`, `scattering`, `padding`, `folding`.
* Matrices and vectors: `products`, `linear_algebra`, `decompositions`, `distance`, `fft`.
* Networks: `softmax`, `cross_entropy`, `losses`, `ctc`, `normalization`, `attention`, `convolution`, `pooling`,
  `interpolation`, `sampling`, `embedding`, `dropout`.

`broadcast` sums the gradients of what was repeated; `number_types` wraps operations for float16, bfloat16 and complex
numbers. The loops of an operation are in `kernels/`, in the file of the same name.
"""
