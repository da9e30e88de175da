"""What is the dead-reckoned estimate worth, beside loads as reported and beside own picks added to them?

In virtual time, so the machine does not matter. All tables with 200,000 tasks a cell: some minutes.
"""

import argparse
import subprocess

import native


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=200_000, help="a cell")
    subprocess.run([native.build("estimate"), str(parser.parse_args().tasks)], check=True)


if __name__ == "__main__":
    main()
