"""What is maximised: values, gradients and Hessians in closed form. Each objective is one frozen value; `a * Return() - b * ReverseKL()` is one too."""
