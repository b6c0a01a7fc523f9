"""Every exception of the library. Each is a ValueError or a TypeError, so that code which knows nothing of pgtheory can catch it."""


class PgtheoryError(Exception):
    """Base of all errors that the library raises on purpose; the command line prints its text without a traceback."""


class InvalidModel(PgtheoryError, ValueError):
    """A model breaks its own rules: rows that are no distributions, NaN, negative probabilities, shapes that do not fit."""


class InvalidPolicy(PgtheoryError, ValueError):
    """The parameters of a policy do not describe one, or do not fit the model."""


class InvalidArgument(PgtheoryError, ValueError):
    """A number or a name is outside what the function accepts: gamma = 1.2, an unknown method, a group of size zero."""


class NonTerminating(PgtheoryError, ValueError):
    """gamma is 1 and some reachable state never ends under the policy: the undiscounted return does not exist."""


class Multichain(PgtheoryError, ValueError):
    """The average reward depends on where the process starts: there is more than one closed class, or float64 cannot tell the chain from one that has two."""


class NoSupport(PgtheoryError, ValueError):
    """The sampling policy never takes an action that the current policy takes: importance weights do not exist."""


class TooLarge(PgtheoryError, ValueError):
    """Enumeration would need more data sets than the limit; the text says how many and what else there is."""


class UnknownProblem(PgtheoryError, ValueError):
    """No problem has this id."""


class MissingFile(PgtheoryError, ValueError):
    """The file, or the name inside the file, does not exist."""


class MissingExtra(PgtheoryError, ValueError):
    """An optional dependency is not installed; the text names the extra that brings it."""


class BindingError(PgtheoryError, TypeError):
    """A parameter of the user's function cannot be bound, or can be bound in two ways."""


class UserFunctionError(PgtheoryError, ValueError):
    """The user's function raised, returned something of the wrong kind, or did not return in time."""


class NotConverged(PgtheoryError, ValueError):
    """An iterative method ran out of steps. `best` is the best iterate, `bound` its proven error.

    Attributes:
        best: the best iterate that was reached.
        bound: its proven sup-norm error.
    """

    def __init__(self, message: str, *, best: object, bound: float) -> None:
        super().__init__(message)
        self.best, self.bound = best, bound
