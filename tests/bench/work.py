"""What is it worth to know what tasks cost, and to keep slots for the small, where sizes differ?

In virtual time, so the machine does not matter. All tables with 400,000 tasks a cell: about a minute.
"""

import argparse
import subprocess

import native


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=400_000, help="a cell")
    subprocess.run([native.build("work"), str(parser.parse_args().tasks)], check=True)


if __name__ == "__main__":
    main()
