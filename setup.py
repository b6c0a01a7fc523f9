from setuptools import find_packages, setup

LAYERS = ("tabular", "deep", "proofs")
layers = [n for x in LAYERS for n in (f"pgtheory.{x}", *(f"pgtheory.{x}.{s}" for s in find_packages(x)))]
own = ["pgtheory", *(f"pgtheory.{n}" for n in find_packages("pgtheory") if n.split(".")[0] not in LAYERS)]
setup(packages=own + layers, package_dir={"pgtheory": "pgtheory", **{f"pgtheory.{x}": x for x in LAYERS}})
