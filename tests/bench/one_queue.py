"""Does a queue in front of all slots reach Erlang C, and what is it worth beside policies that choose at once?

In virtual time, so the machine does not matter. 50,000,000 tasks a figure take about a minute each: at load .9 the mean
wait of fewer strays by more than a percent.
"""

import argparse
import subprocess

import native


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=50_000_000, help="beside the formula")
    parser.add_argument("--cell", type=int, default=5_000_000, help="of each policy")
    told = parser.parse_args()
    subprocess.run([native.build("one_queue"), str(told.tasks), str(told.cell)], check=True)


if __name__ == "__main__":
    main()
