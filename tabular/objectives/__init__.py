"""What is maximised: values, gradients and Hessians in closed form."""
