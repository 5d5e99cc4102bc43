"""Settings from the command line: a configuration file to run first, then --name=value. Meant to be run by exec.

exec(open("configurator.py").read())
"""

import sys
from ast import literal_eval

for arg in sys.argv[1:]:
    if not arg.startswith("--"):
        print(f"settings of {arg}:")
        with open(arg) as f:
            print(f.read().rstrip())
        exec(open(arg).read())
    else:
        assert "=" in arg, f"--name=value, not {arg}"
        key, val = arg[2:].split("=", 1)
        if key not in globals():
            raise ValueError(f"Unknown config key: {key}")
        try:
            attempt = literal_eval(val)
        except (SyntaxError, ValueError):
            attempt = val  # a text
        assert type(attempt) is type(globals()[key]), f"{key} is a {type(globals()[key])}"
        print(f"Overriding: {key} = {attempt}")
        globals()[key] = attempt
