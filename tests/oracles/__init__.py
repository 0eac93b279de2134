"""Plain computations, independent of the product, against which the product is tested."""
