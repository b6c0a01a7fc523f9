"""Exact solutions of finite models: the value of a policy, and the best policy."""
