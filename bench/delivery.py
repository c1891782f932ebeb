#!/usr/bin/env python3
"""How delivery behaves when remote hosts do not: one table, a line for each figure and its bar.

    bench/delivery.py [ROW...] [--short] [--json FILE] [--build build/release] [--pairs 5]

Without rows: all of them. `--short`: rows 3, 4, 8, 9 and 12 in a form that takes at most 6 minutes.
A comparison is the median of interleaved pairs with and without the fault; "within" means at most
1.2 times, or 5 ms more. Rows 8, 9 and 12 run on a fake clock, in tests/delivery_rows_tests.
"""

import argparse
import json
import pathlib
import signal
import sys
import time

import delivery_kills
import delivery_rival
import delivery_rows
import delivery_scale
from delivery_kit import Programs, Table, signing_rate

ORDER = ["13", "3", "1", "2", "2b", "5", "4", "11", "6", "7", "10", "8", "9", "12", "14",
         "hosts"]
SHORT = ["3", "4", "8", "9", "12"]
ON_A_FAKE_CLOCK = ("8", "9", "12")


PLACES = (delivery_rows, delivery_kills, delivery_scale, delivery_rival)


class Bench:
    def __init__(self, options):
        self.programs, self.pairs, self.is_short = Programs(options.build), options.pairs, options.short
        self.rows_tests, self.seconds_of_row_5 = options.rows_tests, options.row_5_seconds
        self.rows_of_row_7 = options.row_7_rows
        self.table = Table()

    def check_farm(self, row, farm):
        """Every digest and the sample of signatures must have been right."""
        wrong = farm.wrong()
        counted = farm.count()
        self.table.add(row, f"wrong of {counted['digests']} digests and {counted['signatures']} "
                            f"signatures", wrong or 0, "0", not wrong)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", choices=[*ORDER, []], metavar="ROW")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--row-5-seconds", type=int, default=600)
    parser.add_argument("--row-7-rows", type=int, default=5_000_000)
    parser.add_argument("--rows-tests", default="build/asan/tests/delivery_rows_tests")
    return parser.parse_args()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # ends what it started
    options = read_options()
    rows = options.rows or (SHORT if options.short else ORDER)
    began, before = time.monotonic(), signing_rate()
    bench = Bench(options)
    fake_clock_done = False
    for row in rows:
        try:
            if row not in ON_A_FAKE_CLOCK:
                next(getattr(place, "row_" + row) for place in PLACES
                     if hasattr(place, "row_" + row))(bench)
            elif not fake_clock_done:
                fake_clock_done = True
                delivery_scale.rows_on_a_fake_clock(bench, [one for one in rows if
                                                           one in ON_A_FAKE_CLOCK])
        except Exception as problem:  # the other rows run nevertheless
            bench.table.add(row, f"did not run: {problem!r}"[:300], "-", "", False)
    after = signing_rate()
    print(f"openssl speed -multi 2 rsa2048: {before:.0f} signatures/s before, {after:.0f} after; "
          f"{time.monotonic() - began:.0f} s")
    if options.json:
        options.json.write_text(json.dumps({"rsa_signatures_per_second": [before, after],
                                            "rows": bench.table.rows}, indent=1) + "\n")
    return 0 if bench.table.passed() else 1


if __name__ == "__main__":
    sys.exit(main())
