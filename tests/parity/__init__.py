"""Small named data sets with the numbers pycocotools gave for them."""
