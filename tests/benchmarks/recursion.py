"""The textbook recursion for the covariance of GAE(lambda) under a softmax policy, in plain scipy: what the library's laws are measured against.

    A_t = delta_t + kappa A_{t+1},   g_t = psi_t A_t + nu g_{t+1},   delta = r + gamma V(s') - V(s)
    m = E[A | s],  q = E[A^2 | s],  mu = E[g | s],  h = E[A g | s],  U(s, a) = E[A_t g_{t+1} | s, a] = (P o delta) mu' + kappa P h'
    E[g g'] = sum_t nu^(2t) sum_s p_t(s) sum_a pi(a|s) [psi psi' E[A_t^2 | s, a] + nu (psi U' + U psi')]

Every table S x S A is formed, one step of time after the other. Nothing here uses the library.
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu


class Recursion:
    """P (S*A, S) CSR, r (S, A), policy pi (S, A), critic V (S,)."""

    def __init__(self, P, r, mu, pi, gamma, lambda_, V, nu):
        self.P, self.pi, self.rho, self.nu, self.kappa = P, pi, mu, nu, gamma * lambda_
        self.S, self.A = pi.shape
        pairs = self.S * self.A
        row = np.repeat(np.arange(pairs), np.diff(P.indptr))
        delta = r.ravel()[row] + gamma * V[P.indices] - V[row // self.A]
        on_pattern = lambda values: sp.csr_array((values, P.indices, P.indptr), shape=P.shape)
        self.first, second = on_pattern(P.data * delta), on_pattern(P.data * delta**2)
        self.mean, self.square = np.asarray(self.first.sum(axis=1)), np.asarray(second.sum(axis=1))
        self.average = sp.csr_array((pi.ravel(), np.arange(pairs), np.arange(0, pairs + 1, self.A)), shape=(self.S, pairs))

    def advantage(self, m, q):
        """E[A | s, a] and E[A^2 | s, a] from the moments of the next state."""
        first = self.mean + self.kappa * (self.P @ m)
        second = self.square + 2 * self.kappa * (self.first @ m) + self.kappa**2 * (self.P @ q)
        return first.reshape(self.S, self.A), second.reshape(self.S, self.A)

    def cross(self, mu, h):
        return self.first @ mu + self.kappa * (self.P @ h)

    def plus_scores(self, table, w):
        """Add sum_a pi w psi to the rows of a table (S, D)."""
        s = np.arange(self.S)
        table.reshape(self.S, self.S, self.A)[s, s] += self.pi * (w - (self.pi * w).sum(axis=1, keepdims=True))
        return table

    def blocks(self, w):
        """sum_a pi w psi psi' of each state, (S, A, A)."""
        x = self.pi * w
        B = -x[:, :, None] * self.pi[:, None]
        B = B + B.transpose(0, 2, 1) + x.sum(axis=1)[:, None, None] * self.pi[:, :, None] * self.pi[:, None]
        a = np.arange(self.A)
        B[:, a, a] += x
        return B

    def covariance(self, B, W, mean):
        """Of sum psi psi' = B and the half W (S, A, D) of the cross terms, to which the scores are yet to be applied."""
        M = (W - self.pi[:, :, None] * W.sum(axis=1, keepdims=True)).reshape(self.S * self.A, -1)
        M += M.T.copy()
        s = np.arange(self.S)
        M.reshape(self.S, self.A, self.S, self.A)[s, :, s] += B
        return mean, M - np.outer(mean, mean)

    def finite(self, T):
        """Mean (D,) and covariance (D, D) over T steps, after which the critic is asked."""
        S, A, D = self.S, self.A, self.S * self.A
        p, forwards = [self.rho], sp.csr_array((self.average @ self.P).T)
        for _ in range(T - 1):
            p.append(forwards @ p[-1])
        m, q, mu, h = np.zeros(S), np.zeros(S), np.zeros((S, D)), np.zeros((S, D))
        B, W = np.zeros((S, A, A)), np.zeros((S, A, D))
        for t in reversed(range(T)):
            Q1, Q2 = self.advantage(m, q)
            U = self.cross(mu, h)
            weight = self.nu ** (2 * t) * p[t]
            B += self.blocks(Q2) * weight[:, None, None]
            W += (self.nu * weight[:, None] * self.pi)[:, :, None] * U.reshape(S, A, D)
            m, q = (self.pi * Q1).sum(axis=1), (self.pi * Q2).sum(axis=1)
            mu = self.plus_scores(self.nu * (self.average @ (self.P @ mu)), Q1)
            h = self.plus_scores(self.nu * (self.average @ U), Q2)
        return self.covariance(B, W, self.rho @ mu)

    def stationary(self):
        """The same without end, for nu < 1: five sparse factorisations."""
        S, A, D = self.S, self.A, self.S * self.A
        K = self.average @ self.P
        factors = lambda c: splu(sp.csc_array(sp.eye_array(S) - c * K))
        kappa, nu, zero = self.kappa, self.nu, np.zeros(S)
        m = factors(kappa).solve(self.average @ self.mean)
        q = factors(kappa**2).solve(self.average @ self.advantage(m, zero)[1].ravel())
        Q1, Q2 = self.advantage(m, q)
        mu = factors(nu).solve(self.plus_scores(np.zeros((S, D)), Q1))
        h = factors(nu * kappa).solve(self.plus_scores(nu * (self.average @ (self.first @ mu)), Q2))
        d = factors(nu**2).solve(self.rho, trans="T")
        W = (nu * d[:, None] * self.pi)[:, :, None] * self.cross(mu, h).reshape(S, A, D)
        return self.covariance(self.blocks(Q2) * d[:, None, None], W, self.rho @ mu)
