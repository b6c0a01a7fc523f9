"""Settings of the whole test run."""

import os

# Tensors of a few numbers are slower on two threads than on one, by a factor of two in processor time, and the workers share the processors already.
# Set before numpy and torch are loaded, and handed on to the workers and to what tests start.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from hypothesis import settings  # noqa: E402

# In CI a test that passed yesterday passes today: examples are derived from the test, not drawn. Elsewhere new examples are tried each time.
# No deadline: the first example of a test may compile, import or enumerate.
settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")
