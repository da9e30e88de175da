"""What do callers get of a fleet that is asked for three times what it can serve, and is it well again after?

In virtual time, so the machine does not matter: no limit, a fixed one that fits and one that does not, and those that
learn, for each endpoint and for the whole. Seconds.
"""

import argparse
import subprocess

import native


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    subprocess.run([native.build("overload")], check=True)


if __name__ == "__main__":
    main()
