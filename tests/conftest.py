"""Settings of the whole test run."""

import os

from hypothesis import settings

# In CI a test that passed yesterday passes today: examples are derived from the test, not drawn. Elsewhere new examples are tried each time.
# No deadline: the first example of a test may compile, import or enumerate.
settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")
